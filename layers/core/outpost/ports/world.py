"""The world itself: time, fresh names, the signing key, and the state of what the control plane stands on."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Clock(Protocol):
    """The time; everything that asks for it asks here."""

    def now(self) -> datetime:
        """The time now, aware, in UTC, cut to milliseconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let that time pass."""
        ...


class Identifiers(Protocol):
    """Fresh names."""

    def new(self, at: datetime) -> str:
        """A ULID of that time: 26 characters that sort by time."""
        ...


class SigningKey(Protocol):
    """The deployment's signing key."""

    def value(self) -> bytes:
        """The key; read once and kept."""
        ...


class ComponentState(StrEnum):
    """How a part of the control plane is."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Components(Protocol):
    """What the control plane is made of."""

    def states(self) -> dict[str, ComponentState]:
        """Each component's state."""
        ...
