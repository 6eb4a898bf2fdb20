"""Why a run is where it is."""

from dataclasses import dataclass
from datetime import datetime

from outpost_cli.json_fields import JsonObject, read_list, read_moment, read_optional_text, read_text
from outpost_cli.models.page import LogLine
from outpost_cli.models.run import RunStatus


@dataclass(frozen=True, slots=True)
class Cause:
    at: datetime
    message: str

    @classmethod
    def from_document(cls, document: JsonObject) -> "Cause":
        return cls(at=read_moment(document, "at"), message=read_text(document, "message"))


@dataclass(frozen=True, slots=True)
class Explanation:
    run_id: str
    status: RunStatus
    summary: str
    waits_for: str | None
    causes: tuple[Cause, ...]
    remedy: str | None
    lines: tuple[LogLine, ...]
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "Explanation":
        return cls(
            run_id=read_text(document, "runId"),
            status=RunStatus(read_text(document, "status")),
            summary=read_text(document, "summary"),
            waits_for=read_optional_text(document, "waitsFor"),
            causes=read_list(document, "causes", Cause.from_document),
            remedy=read_optional_text(document, "remedy"),
            lines=read_list(document, "lines", LogLine.from_document),
            document=document,
        )
