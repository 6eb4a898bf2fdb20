"""What the protocols have in common: an answer to put into their words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from ...agents.gateway.dialects import Tokens
from .tools import ToolCall, Tools

PIECES = 4


@dataclass(frozen=True)
class Answer:
    """Text, or a call of a tool; `number` tells it from the others of the script."""

    number: int
    model: str
    tokens: Tokens
    text: str = ""
    call: ToolCall | None = None


class ModelProtocol(Protocol):
    def tools(self, body: dict[str, Any]) -> Tools:
        """The tools that a request offers, with the schemas of their arguments."""
        ...

    def whole(self, answer: Answer) -> dict[str, Any]: ...

    def events(self, answer: Answer) -> Iterator[bytes]: ...

    def error(self, status: int) -> dict[str, Any]: ...


def pieces(text: str) -> list[str]:
    """The text as it comes in a stream."""
    size = max(1, -(-len(text) // PIECES))
    return [text[start : start + size] for start in range(0, len(text), size)]
