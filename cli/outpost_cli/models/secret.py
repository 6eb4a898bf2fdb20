"""A tenant's own secret, as the service tells of it: without its value."""

from dataclasses import dataclass
from datetime import datetime

from outpost_cli.json_fields import JsonObject, read_moment, read_text


@dataclass(frozen=True, slots=True)
class Secret:
    """A provider key, the git token or an environment variable; `kind` says which."""

    name: str
    kind: str
    created_at: datetime
    updated_at: datetime
    updated_by: str
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "Secret":
        return cls(
            name=read_text(document, "name"),
            kind=read_text(document, "kind"),
            created_at=read_moment(document, "createdAt"),
            updated_at=read_moment(document, "updatedAt"),
            updated_by=read_text(document, "updatedBy"),
            document=document,
        )
