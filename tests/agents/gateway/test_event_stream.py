"""Events are taken out of a stream whatever blocks it comes in."""

import pytest

from outpost_runner.gateway.event_stream import EventStream


def read(*blocks, longest_line_bytes=1_000):
    stream = EventStream(longest_line_bytes)
    found = [data for block in blocks for data in stream.feed(block)]
    return [*found, *stream.finish()]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_the_data_of_each_event_is_found(line_end):
    content = b"event: a\ndata: one\n\n: comment\ndata:two\nid: 7\n\n".replace(b"\n", line_end)
    assert read(content) == [b"one", b"two"]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_blocks_may_end_anywhere(size):
    content = b"data: one\r\n\r\ndata: two\r\n\r\n"
    assert read(*(content[start : start + size] for start in range(0, len(content), size))) == [b"one", b"two"]


def test_lines_of_data_belong_together():
    assert read(b"data: one\ndata: two\n\n") == [b"one\ntwo"]


def test_only_the_first_space_is_no_data():
    assert read(b"data:  one\n\n") == [b" one"]


def test_an_event_at_the_very_end_is_found():
    assert read(b"data: one\n\ndata: two") == [b"one", b"two"]


def test_a_line_that_is_too_long_is_left_out_to_its_end():
    long_line = [b"data: " + b"x" * 990, b"data: still the same line", b"data: and so is this\n\n"]
    assert read(*long_line, b"data: two\n\n") == [b"two"]


def test_empty_events_are_none():
    assert read(b"\n\n\nevent: ping\n\n") == []
