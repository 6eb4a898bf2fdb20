"""Output that is text for people: shown as it is, its last lines are the summary."""

from collections import deque
from collections.abc import Sequence

from outpost_runner.agents.adapter import Account
from outpost_runner.log_lines import MAX_MESSAGE_CHARACTERS

TAIL_LINES = 50


class PlainOutput:
    longest_line = MAX_MESSAGE_CHARACTERS

    def __init__(self, summary_lines: int) -> None:
        self._summary_lines = summary_lines
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    def read(self, stream: str, line: str) -> Sequence[str]:  # noqa: ARG002 both streams are alike to it
        self._tail.append(line)
        return (line,)

    def finish(self) -> Sequence[str]:
        return ()

    def account(self) -> Account:
        lines = [line.rstrip() for line in self._tail if line.strip()]
        return Account("\n".join(lines[-self._summary_lines :]) or None)
