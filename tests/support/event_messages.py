"""Reads server-sent events as the text that they are, to the letter.

Source of the format: HTML Living Standard, section 9.2, "Server-sent events".
"""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Message:
    """One message of a stream; a field that it does not have is None."""

    fields: dict[str, str]

    @property
    def id(self) -> str | None:
        """What a client sends back to go on behind the message."""
        return self.fields.get("id")

    @property
    def event(self) -> str | None:
        """Its type."""
        return self.fields.get("event")

    @property
    def data(self) -> dict[str, Any]:
        """What it tells."""
        loaded: dict[str, Any] = json.loads(self.fields["data"])
        return loaded


def read_messages(text: str) -> list[Message]:
    """An answer's messages, each closed by an empty line, as it has to be; without comments and when to come again."""
    assert text.endswith("\n\n"), text
    blocks = [_read_fields(block) for block in text.removesuffix("\n\n").split("\n\n")]
    told = [{name: value for name, value in block.items() if name != "retry"} for block in blocks]
    return [Message(fields) for fields in told if fields]


def _read_fields(block: str) -> dict[str, str]:
    lines = [line.partition(": ") for line in block.split("\n") if not line.startswith(":")]
    fields = {name: value for name, _, value in lines}
    assert len(fields) == len(lines), block
    return fields
