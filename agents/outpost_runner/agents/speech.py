"""The agent's own words: whole lines for the log, and its last message for the summary."""

from collections.abc import Iterator

from outpost_runner.agents.wording import make_valid
from outpost_runner.line_splitter import cut_line
from outpost_runner.log_lines import MAX_MESSAGE_CHARACTERS

MAX_SUMMARY_CHARACTERS = 4000


class Speech:
    """A message comes whole or in pieces; it is over when the agent does something else."""

    def __init__(self) -> None:
        self._line = ""
        self._message = ""
        self._last_message: str | None = None

    @property
    def summary(self) -> str | None:
        """The beginning of the last message that says something."""
        return make_valid(self._message).strip() or self._last_message

    def is_last_message(self, message: str) -> bool:
        return make_valid(message[:MAX_SUMMARY_CHARACTERS]).strip() == self.summary

    def add(self, piece: str) -> Iterator[str]:
        """The lines that `piece` completes; one without an end is not kept longer than a line of the log."""
        self._message = (self._message + piece)[:MAX_SUMMARY_CHARACTERS]
        *lines, self._line = (self._line + piece).split("\n")
        for line in lines:
            yield from cut_line(make_valid(line.removesuffix("\r")), MAX_MESSAGE_CHARACTERS)
        *pieces, self._line = cut_line(self._line, MAX_MESSAGE_CHARACTERS)
        yield from map(make_valid, pieces)

    def end_message(self) -> Iterator[str]:
        """What is left of the message."""
        rest, self._line = self._line, ""
        self._last_message, self._message = self.summary, ""
        if rest:
            yield make_valid(rest)
