"""Carries a container's output to CloudWatch Logs, as the awslogs driver does: every line, in order, promptly."""

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

_MAX_DELAY_SECONDS = 0.25
_MAX_BATCH_EVENTS = 1000
_MAX_BATCH_BYTES = 512 * 1024
_EVENT_OVERHEAD_BYTES = 26
_MAX_EVENT_BYTES = 256 * 1024 - _EVENT_OVERHEAD_BYTES
_PUT_ATTEMPTS = 50
_PUT_PAUSE_SECONDS = 0.2
_LOG = logging.getLogger("outpost.local.logs")


@dataclass(frozen=True)
class LogDestination:
    """Where a container's lines go."""

    group: str
    stream: str


class LogShipper:
    """Reads until the end of the stream; `finish` waits for the last line to have arrived."""

    def __init__(self, output: IO[bytes], destination: LogDestination, logs: Any) -> None:
        self._output = output
        self._destination = destination
        self._logs = logs
        self._pending: deque[tuple[dict[str, Any], int]] = deque()
        self._pending_bytes = 0
        self._room = threading.Condition()
        self._ended = False
        logs.create_log_stream(logGroupName=destination.group, logStreamName=destination.stream)
        self._threads = [
            threading.Thread(target=self._read, name="task-output", daemon=True),
            threading.Thread(target=self._ship, name="task-logs", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def finish(self, timeout_seconds: float) -> None:
        for thread in self._threads:
            thread.join(timeout_seconds)

    def _read(self) -> None:
        try:
            while line := self._output.readline(_MAX_EVENT_BYTES):
                self._add(line.rstrip(b"\r\n"))
        except ValueError:
            pass  # closed: the task is gone and so is whoever could have written more
        with self._room:
            self._ended = True
            self._room.notify_all()

    def _add(self, line: bytes) -> None:
        if not line:
            return  # CloudWatch Logs refuses empty messages, and awslogs leaves them out
        event = {"timestamp": int(time.time() * 1000), "message": line.decode("utf-8", "replace")}
        with self._room:
            # Like a full pipe: who writes faster than the logs can take has to wait, and nothing is dropped.
            while self._pending_bytes > 4 * _MAX_BATCH_BYTES:
                self._room.wait()
            self._pending.append((event, len(line) + _EVENT_OVERHEAD_BYTES))
            self._pending_bytes += len(line) + _EVENT_OVERHEAD_BYTES
            if len(self._pending) == 1 or self._pending_bytes > _MAX_BATCH_BYTES:
                self._room.notify_all()

    def _ship(self) -> None:
        while True:
            with self._room:
                while not self._pending and not self._ended:
                    self._room.wait()
                if not self._pending:
                    return
            self._linger()
            self._send()

    def _linger(self) -> None:
        """Let a batch fill, briefly."""
        deadline = time.monotonic() + _MAX_DELAY_SECONDS
        with self._room:
            while not self._ended and self._pending_bytes < _MAX_BATCH_BYTES and time.monotonic() < deadline:
                self._room.wait(max(0.0, deadline - time.monotonic()))

    def _send(self) -> None:
        batch: list[dict[str, Any]] = []
        with self._room:
            size = 0
            while self._pending and len(batch) < _MAX_BATCH_EVENTS and size < _MAX_BATCH_BYTES:
                event, event_size = self._pending.popleft()
                batch.append(event)
                size += event_size
            self._pending_bytes -= size
            self._room.notify_all()
        self._put(batch)

    def _put(self, batch: list[dict[str, Any]]) -> None:
        """Try again for a while: a refused batch would be lost lines."""
        for attempt in range(1, _PUT_ATTEMPTS + 1):
            try:
                self._logs.put_log_events(
                    logGroupName=self._destination.group, logStreamName=self._destination.stream, logEvents=batch
                )
            except (ClientError, BotoCoreError):
                _LOG.exception("attempt %s to write %s lines of %s", attempt, len(batch), self._destination.stream)
                time.sleep(_PUT_PAUSE_SECONDS)
            else:
                return
