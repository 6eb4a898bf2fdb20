"""The stream under `outpost watch`: how long it pauses, and what it takes for an outage."""

import httpx
import pytest

from outpost_cli.client import OutpostClient
from outpost_cli.errors import ConnectionLost
from outpost_cli.event_stream import EventStream
from outpost_cli.models.event import LogLines

END = "retry: 7\n\n"
EVENT_STREAM = {"Content-Type": "text/event-stream; charset=utf-8"}


class Breaking(httpx.SyncByteStream):
    """An answer that breaks off behind its text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __iter__(self):
        yield self.text.encode()
        raise httpx.ReadError("cut")


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def open_stream(pauses):
    """A stream whose connections bring these texts, and then the end."""

    def make(*texts: str | Breaking) -> EventStream:
        left = [*texts]

        def handle(request: httpx.Request) -> httpx.Response:
            if not left:
                return httpx.Response(204)
            content = left.pop(0)
            if isinstance(content, Breaking):
                return httpx.Response(200, stream=content, headers=EVENT_STREAM)
            return httpx.Response(200, text=content, headers=EVENT_STREAM)

        client = OutpostClient("https://api.example.com", "otp_secret", transport=httpx.MockTransport(handle))
        return EventStream(client, "R1", on_restart=lambda _: None, pause=pauses.append)

    return make


def make_log(service, number: int) -> str:
    return service.make_log(number, f"line {number}")


def list_lines(stream: EventStream) -> list[str]:
    return [line.message for message in stream if isinstance(message, LogLines) for line in message.lines]


def test_between_connections_it_pauses_a_second_and_then_as_long_as_the_service_asks(open_stream, pauses):
    assert list_lines(open_stream(": nothing new\n\n", "retry: 2500\n\n", ": nothing new\n\n")) == []
    assert pauses == [1.0, 2.5, 2.5]


def test_no_service_makes_it_pause_for_long(open_stream, pauses):
    assert list_lines(open_stream("retry: 86400000\n\n")) == []
    assert pauses == [30.0]


def test_a_connection_that_brought_something_before_it_was_lost_is_no_outage(open_stream, service):
    lost = [Breaking(make_log(service, number)) for number in range(20)]
    assert list_lines(open_stream(*lost)) == [f"line {number}" for number in range(20)]


def test_connections_that_bring_nothing_are_an_outage_after_some_of_them(open_stream, pauses):
    with pytest.raises(ConnectionLost, match="cut"):
        list_lines(open_stream(*[Breaking(END)] * 20))
    assert pauses == [0.007] * 5


def test_lost_connections_that_are_not_in_a_row_are_no_outage(open_stream):
    assert list_lines(open_stream(*[Breaking(END), ": nothing new\n\n"] * 20)) == []


def test_behind_a_full_answer_it_does_not_pause(open_stream, service, pauses):
    full = [f"retry: 0\n{make_log(service, number)}" for number in range(3)]
    assert list_lines(open_stream(*full)) == ["line 0", "line 1", "line 2"]
    assert pauses == [0.0] * 3


def test_behind_a_full_answer_that_was_lost_it_pauses(open_stream, service, pauses):
    assert list_lines(open_stream(Breaking(f"retry: 0\n{make_log(service, 0)}"))) == ["line 0"]
    assert pauses == [1.0]
