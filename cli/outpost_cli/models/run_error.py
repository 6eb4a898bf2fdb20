"""Why a run, or the promotion of one, ended badly."""

from dataclasses import dataclass

from outpost_cli.json_fields import JsonObject, read_optional_text, read_text


@dataclass(frozen=True, slots=True)
class RunError:
    code: str
    message: str
    remedy: str | None

    @classmethod
    def from_document(cls, document: JsonObject) -> "RunError":
        return cls(
            code=read_text(document, "code"),
            message=read_text(document, "message"),
            remedy=read_optional_text(document, "remedy"),
        )
