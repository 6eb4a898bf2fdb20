"""The seam between the gateway and one protocol."""

from typing import Protocol

from outpost_runner.gateway.protocols.request_form import RequestForm
from outpost_runner.gateway.tally import Tally
from outpost_runner.json_fields import Json, JsonObject, MalformedJson

# Far above what any call can use, and so far below what the broker takes that no sum of a run's calls reaches that.
MOST_TOKENS = 1_000_000_000


class ModelProtocol(Protocol):
    @property
    def form(self) -> RequestForm: ...

    def prepare(self, fields: dict[str, object], /) -> bool:
        """Change in the request what keeps its answer from being counted; True when something was changed."""
        ...

    def read(self, event: JsonObject, tally: Tally) -> None:
        """Take the usage out of one event of a stream, or out of a whole answer. Raises MalformedJson."""
        ...

    def make_error(self, status: int, message: str) -> Json:
        """The body of an error, as this protocol's clients know it."""
        ...


def read_count(fields: JsonObject | None, name: str) -> int | None:
    """A number of tokens; None where there is none that could be one."""
    if fields is None:
        return None
    try:
        count = fields.integer(name)
    except MalformedJson:
        return None
    return count if 0 <= count <= MOST_TOKENS else None


def read_objects(fields: JsonObject, name: str) -> list[JsonObject]:
    """The objects of a list that may be absent."""
    try:
        return fields.objects(name)
    except MalformedJson:
        return []


def text_bytes(fields: JsonObject, *names: str) -> int:
    """The size of the texts that these fields hold."""
    return sum(len((fields.optional_text(name) or "").encode(errors="replace")) for name in names)
