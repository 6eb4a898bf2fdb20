"""The runner's standard output: one compact JSON object a line, which the container's log driver carries away."""

import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from outpost_runner.redaction import Redactor

MAX_MESSAGE_CHARACTERS = 8192
# Container log drivers cut a line at 16 KiB, wherever that is; some bytes are for what is around the message.
MAX_ENCODED_BYTES = 16 * 1024 - 64
MAX_CHARACTER_BYTES = 4
QUEUE_BYTES = 1024 * 1024
# Room for what two pipes hold of ordinary lines, once nobody fills them any more.
REST_BYTES = 4 * QUEUE_BYTES
DRAIN_SECONDS = 3.0

_encode = json.JSONEncoder(ensure_ascii=False).encode


def format_lines(stream: str, message: str) -> Iterator[str]:
    """One line, or more when one would be too long: a message is cut between characters, never inside one."""
    encoded = _encode(message)
    is_surely_short = len(encoded) * MAX_CHARACTER_BYTES <= MAX_ENCODED_BYTES
    if is_surely_short or len(encoded.encode(errors="replace")) <= MAX_ENCODED_BYTES:
        yield f'{{"stream":"{stream}","message":{encoded}}}\n'
    else:
        middle = len(message) // 2
        yield from format_lines(stream, message[:middle])
        yield from format_lines(stream, message[middle:])


class LogLines:
    """Writes through a thread of its own, so that a log driver that stands still can never hold up the run's end."""

    def __init__(self, file_descriptor: int, redactor: Redactor) -> None:
        self._file_descriptor = file_descriptor
        self._redactor = redactor
        self._changed = threading.Condition()
        self._blocks: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._holds_up = True
        self._dropped_lines = 0
        self._closed = False
        self._thread = threading.Thread(target=self._write_all, name="log-lines", daemon=True)
        self._thread.start()

    def say(self, message: str) -> None:
        """A line of the runner itself; dropped when a standing log driver has filled the queue."""
        text = self._redactor.redact(" ".join(message.split()))[:MAX_MESSAGE_CHARACTERS]
        with self._changed:
            if self._waiting_bytes <= QUEUE_BYTES:
                self._put("".join(format_lines("runner", text)).encode(errors="replace"))

    def write(self, block: bytes) -> None:
        """Whole lines, already redacted; waits while the queue is full, which slows the agent as its own pipe would."""
        with self._changed:
            while self._holds_up and self._waiting_bytes > QUEUE_BYTES and not self._closed:
                self._changed.wait()
            if self._closed:
                return
            if self._waiting_bytes <= REST_BYTES:
                self._put(block)
            else:
                self._dropped_lines += block.count(b"\n")

    @contextmanager
    def holding_nobody_up(self) -> Iterator[None]:
        """No write waits meanwhile: of the last lines those are dropped that the queue has no room for, with a word."""
        with self._changed:
            self._holds_up = False
            self._changed.notify_all()
        yield
        with self._changed:
            self._holds_up = True
            if self._dropped_lines:
                notice = f"{self._dropped_lines} lines are left out of this log, which was too slow for them."
                self._put("".join(format_lines("runner", notice)).encode())
                self._dropped_lines = 0

    def close(self) -> None:
        """Write what waits, for a short while at most."""
        gives_up_at = time.monotonic() + DRAIN_SECONDS
        with self._changed:
            while self._waiting_bytes and (left := gives_up_at - time.monotonic()) > 0:
                self._changed.wait(left)
            self._closed = True
            self._changed.notify_all()

    def _put(self, block: bytes) -> None:
        self._blocks.append(block)
        self._waiting_bytes += len(block)
        self._changed.notify_all()

    def _write_all(self) -> None:
        readable = True
        while (block := self._next_block()) is not None:
            readable = readable and self._write_block(block)
            with self._changed:
                self._waiting_bytes -= len(block)
                self._changed.notify_all()

    def _next_block(self) -> bytes | None:
        with self._changed:
            while not self._blocks and not self._closed:
                self._changed.wait()
            return self._blocks.popleft() if self._blocks else None

    def _write_block(self, block: bytes) -> bool:
        """False when nobody reads any more: the run goes on, its log file tells the rest."""
        view = memoryview(block)
        while view:
            try:
                view = view[os.write(self._file_descriptor, view) :]
            except OSError:
                return False
        return True
