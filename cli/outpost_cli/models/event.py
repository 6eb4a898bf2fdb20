"""What happens to a run: the entries of its timeline, and the messages of its event stream."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from outpost_cli.json_fields import (
    JsonObject,
    as_object,
    read_list,
    read_moment,
    read_optional_integer,
    read_optional_object,
    read_optional_text,
    read_text,
)
from outpost_cli.models.page import LogLine, Page
from outpost_cli.models.run import RunStatus


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One entry of a run's timeline."""

    type: str
    at: datetime
    attempt: int | None
    details: JsonObject
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "RunEvent":
        return cls(
            type=read_text(document, "type"),
            at=read_moment(document, "at"),
            attempt=read_optional_integer(document, "attempt"),
            details=read_optional_object(document, "details") or {},
            document=document,
        )


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some entries, oldest first; its cursor is good for going on, also when there is no more yet."""

    events: tuple[RunEvent, ...]
    page: Page


@dataclass(frozen=True, slots=True)
class StatusChange:
    status: RunStatus
    attempt: int | None
    at: datetime
    document: JsonObject


@dataclass(frozen=True, slots=True)
class Progress:
    type: str
    phase: str | None
    message: str | None
    attempt: int | None
    at: datetime
    document: JsonObject


@dataclass(frozen=True, slots=True)
class LogLines:
    attempt: int | None
    lines: tuple[LogLine, ...]
    document: JsonObject

    def keep(self, lines: tuple[LogLine, ...]) -> "LogLines":
        """The same message with some of its lines only."""
        return replace(self, lines=lines, document={**self.document, "lines": [line.document for line in lines]})


@dataclass(frozen=True, slots=True)
class Done:
    """The last message of a stream."""

    status: RunStatus
    document: JsonObject


StreamMessage: TypeAlias = StatusChange | Progress | LogLines | Done


def read_stream_message(name: str, data: str) -> StreamMessage | None:
    """The message of this name, None for a kind that is newer than we are. Raises ValueError."""
    if name not in {"status", "progress", "log", "done"}:
        return None
    document = read_stream_data(data)
    if name == "done":
        return Done(status=RunStatus(read_text(document, "status")), document=document)
    attempt = read_optional_integer(document, "attempt")
    if name == "log":
        return LogLines(attempt, read_list(document, "lines", LogLine.from_document), document)
    at = read_moment(document, "at")
    if name == "status":
        return StatusChange(RunStatus(read_text(document, "status")), attempt, at, document)
    return Progress(
        type=read_text(document, "type"),
        phase=read_optional_text(document, "phase"),
        message=read_optional_text(document, "message"),
        attempt=attempt,
        at=at,
        document=document,
    )


def read_stream_data(data: str) -> JsonObject:
    """The JSON object of a message. Raises ValueError."""
    return as_object("data", json.loads(data))
