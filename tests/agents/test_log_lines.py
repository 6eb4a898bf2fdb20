"""The runner's log waits for its reader while that slows the agent, and not once there is none to slow."""

import json
import os
import threading

import pytest

from outpost_runner.log_lines import REST_BYTES, LogLines
from outpost_runner.redaction import Redactor

BLOCK_LINES = 1024
LINE = json.dumps({"stream": "stdout", "message": "x" * 990}).encode() + b"\n"
BLOCK = LINE * BLOCK_LINES
PIPE_BYTES = 64 * 1024


class SlowReader:
    """The other end of a log, which reads nothing until it is asked to."""

    def __init__(self):
        self._end, self._log_end = os.pipe()
        self._read = bytearray()
        self._thread = threading.Thread(target=self._read_on)
        self.log = LogLines(self._log_end, Redactor())

    def read_on(self):
        self._thread.start()

    def records(self):
        """All of them; the log takes no more after it."""
        self.log.close()
        os.close(self._log_end)
        self._thread.join()
        os.close(self._end)
        return [json.loads(line) for line in self._read.splitlines()]

    def _read_on(self):
        while block := os.read(self._end, PIPE_BYTES):
            self._read += block


@pytest.fixture
def reader():
    return SlowReader()


def in_the_background(log, *blocks):
    def write():
        for block in blocks:
            log.write(block)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def messages(records, stream):
    return [record["message"] for record in records if record["stream"] == stream]


def test_a_write_waits_for_a_reader_that_is_slow(reader):
    writing = in_the_background(reader.log, BLOCK, BLOCK, BLOCK)
    writing.join(0.5)
    assert writing.is_alive()
    reader.read_on()
    writing.join()
    assert len(reader.records()) == 3 * BLOCK_LINES


def test_a_write_that_waits_goes_on_when_it_is_to_hold_nobody_up(reader):
    writing = in_the_background(reader.log, BLOCK, BLOCK, BLOCK)
    writing.join(0.2)
    with reader.log.holding_nobody_up():
        writing.join(5)
    assert not writing.is_alive()
    reader.read_on()
    assert len(reader.records()) == 3 * BLOCK_LINES


def test_what_a_slow_reader_leaves_no_room_for_is_dropped_and_counted(reader):
    with reader.log.holding_nobody_up():
        for block in [BLOCK] * 10:
            reader.log.write(block)
    reader.read_on()
    records = reader.records()
    (notice,) = messages(records, "runner")
    shown = len(messages(records, "stdout"))
    assert notice == f"{10 * BLOCK_LINES - shown} lines are left out of this log, which was too slow for them."
    assert REST_BYTES < shown * len(LINE) <= REST_BYTES + 2 * len(BLOCK)


def test_afterwards_a_write_waits_again(reader):
    with reader.log.holding_nobody_up():
        reader.log.write(BLOCK)
        reader.log.write(BLOCK)
    writing = in_the_background(reader.log, BLOCK)
    writing.join(0.5)
    assert writing.is_alive()
    reader.read_on()
    writing.join()
    assert len(reader.records()) == 3 * BLOCK_LINES
