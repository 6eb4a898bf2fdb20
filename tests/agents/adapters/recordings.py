"""Plays the recorded output of a command line to the reader of its adapter."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outpost_runner.agents import find_adapter
from outpost_runner.agents.adapter import Account
from outpost_runner.redaction import Redactor

FOLDER = Path(__file__).parent / "recorded"


@dataclass(frozen=True)
class Reading:
    shown: Sequence[str]
    account: Account


def read_lines(agent: str, *lines: str, stream: str = "stdout", secret: str = "") -> Reading:
    """What an agent's reader makes of these lines, and of nothing after them."""
    return _read(agent, [(stream, line) for line in lines], secret)


def read_recording(name: str) -> Reading:
    """A recording is named AGENT-CASE; each of its lines begins with its stream."""
    lines = [line.split("|", maxsplit=1) for line in (FOLDER / f"{name}.txt").read_text().splitlines()]
    return _read(name.split("-", maxsplit=1)[0], [(stream, text) for stream, text in lines])


def _read(agent: str, lines: Sequence[tuple[str, str]], secret: str = "") -> Reading:
    redactor = Redactor()
    redactor.hide(secret)
    reader = find_adapter(agent).make_reader(redactor)
    shown = [text for stream, line in lines for text in reader.read(stream, line)]
    return Reading([*shown, *reader.finish()], reader.account())
