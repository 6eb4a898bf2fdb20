"""What a scripted model does, one step an answer, in words that belong to no protocol and to no agent."""

from dataclasses import dataclass, field

from ...agents.gateway.dialects import Tokens


@dataclass(frozen=True)
class Step:
    """`tokens` are what it counts for, where they matter; else they are its own by its number.

    `pause_seconds` lie between the events of its stream; with `is_held` the stream stands still in its middle.
    """

    tokens: Tokens | None = field(default=None, kw_only=True)
    pause_seconds: float = field(default=0.0, kw_only=True)
    is_held: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Say(Step):
    """The last words of a task."""

    text: str


@dataclass(frozen=True)
class Read(Step):
    path: str


@dataclass(frozen=True)
class Replace(Step):
    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Write(Step):
    path: str
    content: str


@dataclass(frozen=True)
class Shell(Step):
    command: str


@dataclass(frozen=True)
class Refuse(Step):
    """An HTTP error instead of an answer; it costs nothing."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
