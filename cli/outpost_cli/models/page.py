"""Pages of runs and of log lines, and where they go on."""

from dataclasses import dataclass

from outpost_cli.json_fields import JsonObject, read_flag, read_optional_object, read_optional_text, read_text
from outpost_cli.models.run import Run


@dataclass(frozen=True, slots=True)
class Page:
    """Where a list goes on."""

    next_cursor: str | None
    has_more: bool

    @classmethod
    def from_meta(cls, meta: JsonObject) -> "Page":
        pagination = read_optional_object(meta, "pagination") or {}
        return cls(
            next_cursor=read_optional_text(pagination, "nextCursor"),
            has_more=read_flag(pagination, "hasMore"),
        )


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, newest first."""

    runs: tuple[Run, ...]
    page: Page


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of an agent's or the runner's output."""

    timestamp: str
    stream: str
    message: str
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "LogLine":
        return cls(
            timestamp=read_text(document, "timestamp"),
            stream=read_text(document, "stream"),
            message=read_text(document, "message"),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some log lines, oldest first; its cursor is good for polling on, also when there is no more yet."""

    lines: tuple[LogLine, ...]
    page: Page
