"""The kill switch of a tenant or of the whole deployment."""

from dataclasses import dataclass
from datetime import datetime

from outpost_cli.json_fields import (
    JsonObject,
    read_flag,
    read_optional_integer,
    read_optional_moment,
    read_optional_text,
)


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """While it is on, nothing new begins. `stopped` counts the runs that turning it on asked to end."""

    is_on: bool
    reason: str | None
    set_at: datetime | None
    set_by: str | None
    stops_running: bool
    stopped: int | None
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "KillSwitch":
        return cls(
            is_on=read_flag(document, "on"),
            reason=read_optional_text(document, "reason"),
            set_at=read_optional_moment(document, "setAt"),
            set_by=read_optional_text(document, "setBy"),
            stops_running=read_flag(document, "stopRunning"),
            stopped=read_optional_integer(document, "stopped"),
            document=document,
        )
