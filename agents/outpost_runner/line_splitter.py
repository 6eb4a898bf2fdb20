"""Cuts a stream of bytes into lines with bounded memory, secrets removed before any cut."""

import codecs
from collections.abc import Iterator

from outpost_runner.redaction import Redactor


class LineSplitter:
    """Lines over `longest` characters come in pieces; a secret that lies across two pieces is still found."""

    def __init__(self, redactor: Redactor, longest: int) -> None:
        self._redactor = redactor
        self._longest = longest
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, block: bytes) -> Iterator[str]:
        """The lines that `block` completes, without their ends; invalid bytes become U+FFFD."""
        *lines, self._rest = (self._rest + self._decoder.decode(block)).split("\n")
        for line in lines:
            yield from self._pieces(self._redactor.redact(line.removesuffix("\r")))
        held_back = self._redactor.longest
        if len(self._rest) > self._longest + held_back:
            self._rest = self._redactor.redact(self._rest)
            while len(self._rest) > self._longest + held_back:
                yield self._rest[: self._longest]
                self._rest = self._rest[self._longest :]

    def finish(self) -> Iterator[str]:
        """What is left without a line end."""
        rest = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        if rest:
            yield from self._pieces(self._redactor.redact(rest))

    def _pieces(self, line: str) -> Iterator[str]:
        if len(line) <= self._longest:
            yield line
            return
        for start in range(0, len(line), self._longest):
            yield line[start : start + self._longest]
