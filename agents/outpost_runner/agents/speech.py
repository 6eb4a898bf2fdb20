"""The agent's own words: whole lines for the log, and its last message for the summary."""

from collections.abc import Iterator

from outpost_runner.line_splitter import LineSplitter
from outpost_runner.log_lines import MAX_MESSAGE_CHARACTERS
from outpost_runner.redaction import Redactor

MAX_SUMMARY_CHARACTERS = 4000
# JSON can hold half a character, and the other half come with the next piece: here each half is two bytes.
ENCODING = "utf-16-le"


class Speech:
    """A message comes whole or in pieces; it is over when the agent does something else."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._lines = LineSplitter(redactor, MAX_MESSAGE_CHARACTERS, ENCODING)
        # Its lines as they are shown, until they are enough for a summary.
        self._message = ""
        self._last_message: str | None = None

    @property
    def summary(self) -> str | None:
        """The beginning of the last message that says something, as far as its lines are complete."""
        return self._message[:MAX_SUMMARY_CHARACTERS].strip() or self._last_message

    def is_last_message(self, message: str) -> bool:
        again = Speech(self._redactor)
        list(again.add(message))
        list(again.end_message())
        return again.summary == self.summary

    def add(self, piece: str) -> Iterator[str]:
        """The lines that `piece` completes; of one without an end no more is kept than may hide a secret."""
        yield from self._remember(self._lines.feed(piece.encode(ENCODING, "surrogatepass")))

    def end_message(self) -> Iterator[str]:
        """What is left of the message."""
        yield from self._remember(self._lines.finish())
        self._last_message, self._message = self.summary, ""

    def _remember(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            if len(self._message) < MAX_SUMMARY_CHARACTERS:
                self._message += f"{line}\n"
            yield line
