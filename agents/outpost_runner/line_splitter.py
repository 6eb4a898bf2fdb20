"""Cuts a stream of text into lines with bounded memory, secrets removed before any cut."""

import codecs
from collections.abc import Iterator

from outpost_runner.redaction import Redactor


class LineSplitter:
    """Lines over `longest` characters come in pieces; a secret that lies across two pieces is still found."""

    def __init__(self, redactor: Redactor, longest: int, encoding: str = "utf-8") -> None:
        self._redactor = redactor
        self._longest = longest
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        # The line that has no end yet: what is redacted of it, and what may still hold the beginning of a secret.
        self._redacted = ""
        self._rest = ""

    def feed(self, block: bytes) -> Iterator[str]:
        """The lines that `block` completes, without their ends; invalid bytes become U+FFFD."""
        lines, line_end, self._rest = (self._rest + self._decoder.decode(block)).rpartition("\n")
        if line_end:
            for line in self._take_redacted(lines).split("\n"):
                yield from cut_line(line.removesuffix("\r"), self._longest)
        # Two thirds of what waits for a secret's end may remain: so each look takes in as much again that is new.
        if len(self._rest) > self._longest + 3 * self._redactor.longest:
            beginning, self._rest = self._redactor.redact_beginning(self._rest)
            self._redacted += beginning
            while len(self._redacted) > self._longest:
                yield self._redacted[: self._longest]
                self._redacted = self._redacted[self._longest :]

    def finish(self) -> Iterator[str]:
        """What is left without a line end; what is fed after it begins anew."""
        line = self._take_redacted(self._rest + self._decoder.decode(b"", final=True))
        self._rest = ""
        if line:
            yield from cut_line(line, self._longest)

    def _take_redacted(self, text: str) -> str:
        redacted, self._redacted = self._redacted, ""
        return redacted + self._redactor.redact(text)


def cut_line(line: str, longest: int) -> Iterator[str]:
    """The line in pieces of at most `longest` characters."""
    if len(line) <= longest:
        yield line
        return
    for start in range(0, len(line), longest):
        yield line[start : start + longest]
