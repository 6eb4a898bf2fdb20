"""Carries the agent's output to the log: line by line, redacted, up to a limit, with a copy in a file."""

import fcntl
import os
import selectors
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from outpost_runner.agents.adapter import OutputReader
from outpost_runner.line_splitter import LineSplitter, cut_line
from outpost_runner.log_lines import MAX_MESSAGE_CHARACTERS, LogLines, format_lines
from outpost_runner.redaction import Redactor

READ_BYTES = 256 * 1024
# Enough for the last line of an agent that ends with a statement of its own.
TAIL_BYTES = 256 * 1024
# What a line counts beside its text, about what its record takes in a log: so even empty lines come to an end.
RECORD_BYTES = 64


class OutputLog:
    """Where lines go: through a reader to the log, and to the end of the file."""

    def __init__(self, log: LogLines, path: Path, limit_bytes: int, reader: OutputReader, redactor: Redactor) -> None:
        self.reader = reader
        self._redactor = redactor
        self._log = log
        self._limit_bytes = limit_bytes
        self._left_bytes = limit_bytes
        self._file: IO[bytes] | None = path.open("ab", buffering=0)
        self._file_in_use = threading.Lock()
        self.is_full = False

    def add(self, stream: str, lines: Iterable[str]) -> None:
        self._show(stream, self._read(stream, lines))

    def finish(self) -> None:
        """Both streams have ended: what the reader has kept back."""
        self._show("stdout", self._cut(self.reader.finish()))

    def _show(self, stream: str, lines: Iterable[str]) -> None:
        records: list[str] = []
        texts: list[str] = []
        for line in lines:
            if self.is_full:
                continue
            kept = self._fit(line)
            if kept or not self.is_full:
                records += format_lines(stream, kept)
                texts.append(kept)
            if self.is_full:
                notice = f"The output limit of {self._limit_bytes} bytes is reached; what follows is dropped."
                records += format_lines("runner", notice)
                texts.append(notice)
        if records:
            self._log.write("".join(records).encode(errors="replace"))
            self._copy("\n".join([*texts, ""]).encode(errors="replace"))

    def _read(self, stream: str, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            shown = self.reader.read(stream, line)
            yield from shown if shown == (line,) and len(line) <= MAX_MESSAGE_CHARACTERS else self._cut(shown)

    def _cut(self, shown: Sequence[str]) -> Iterator[str]:
        """In pieces, and redacted again: a reader may undo an escape that has hidden a secret."""
        for text in shown:
            yield from cut_line(self._redactor.redact(text), MAX_MESSAGE_CHARACTERS)

    def close(self) -> None:
        """End the copy; lines that come later are not in it."""
        with self._file_in_use:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _fit(self, line: str) -> str:
        size = len(line.encode()) + RECORD_BYTES
        if size <= self._left_bytes:
            self._left_bytes -= size
            return line
        self.is_full = True
        kept = line.encode()[: max(0, self._left_bytes - RECORD_BYTES)]
        self._left_bytes = 0
        return kept.decode(errors="ignore")

    def _copy(self, block: bytes) -> None:
        with self._file_in_use:
            if self._file is None:
                return
            try:
                self._file.write(block)
            except OSError as error:
                self._file = None
                self._log.say(f"The copy of the output ends here: {error.strerror}.")


class _Stream:
    """One of the agent's two streams; past the limit only its last bytes are kept, for the tail."""

    def __init__(self, name: str, pipe: IO[bytes], redactor: Redactor, longest_line: int) -> None:
        self.name = name
        self.pipe = pipe
        self._redactor = redactor
        self._splitter = LineSplitter(redactor, longest_line)
        self._longest_line = longest_line
        # What came past the limit, and whether it is only the end of that.
        self._tail = b""
        self._is_torn = False
        _widen(pipe.fileno())

    def take(self, block: bytes, output: OutputLog) -> None:
        if not output.is_full:
            output.add(self.name, self._splitter.feed(block))
            return
        self._tail += block
        if len(self._tail) > TAIL_BYTES:
            self._tail, self._is_torn = self._tail[-TAIL_BYTES:], True

    def finish(self, output: OutputLog) -> None:
        if self._is_torn:
            self._splitter = LineSplitter(self._redactor, self._longest_line)
            # What is left of the torn line may begin inside a secret.
            self._tail = self._tail.partition(b"\n")[2]
        output.add(self.name, self._splitter.feed(self._tail))
        output.add(self.name, self._splitter.finish())


class OutputPump:
    """Reads both streams in a thread until they end or it is left behind."""

    def __init__(self, stdout: IO[bytes], stderr: IO[bytes], output: OutputLog, redactor: Redactor) -> None:
        pipes = {"stdout": stdout, "stderr": stderr}
        self._streams = [_Stream(name, pipe, redactor, output.reader.longest_line) for name, pipe in pipes.items()]
        self._output = output
        self._thread = threading.Thread(target=self._read_all, name="output", daemon=True)
        self._thread.start()

    def finish(self, within_seconds: float) -> bool:
        """Wait for the end of both streams; False when one of them will not end."""
        self._thread.join(within_seconds)
        return not self._thread.is_alive()

    def _read_all(self) -> None:
        with selectors.DefaultSelector() as selector:
            for stream in self._streams:
                selector.register(stream.pipe, selectors.EVENT_READ, stream)
            while selector.get_map():
                for key, _ in selector.select():
                    self._read_one(selector, key.data)
        self._output.finish()
        self._output.close()

    def _read_one(self, selector: selectors.BaseSelector, stream: _Stream) -> None:
        block = os.read(stream.pipe.fileno(), READ_BYTES)
        if block:
            stream.take(block, self._output)
            return
        selector.unregister(stream.pipe)
        stream.finish(self._output)
        stream.pipe.close()


def _widen(pipe: int) -> None:
    """Ask for a pipe that holds what one read takes (Linux); without it output works too, in smaller blocks."""
    if sys.platform != "linux":
        return
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, READ_BYTES)
    except OSError:
        return  # the user's share of pipe memory is used up
