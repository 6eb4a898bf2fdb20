"""A run's events and output as they happen: server-sent events over as many connections as it takes.

Source of the format: HTML Living Standard, section 9.2, "Server-sent events".
"""

import json
import time
from collections.abc import Callable, Generator, Iterator

from httpx_sse import ServerSentEvent

from outpost_cli.answers import interpret
from outpost_cli.client import OutpostClient
from outpost_cli.errors import ConnectionLost, ServiceFailed, ServiceRefusal
from outpost_cli.json_fields import JsonObject, read_text
from outpost_cli.models.event import Done, LogLines, StreamMessage, read_stream_data, read_stream_message
from outpost_cli.polling import Pause
from outpost_cli.recollection import Recollection

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# So many connections in a row that were lost before anything came are an outage.
MOST_LOST_CONNECTIONS = 5
CURSOR_IS_LOST = frozenset({"CURSOR_EXPIRED", "INVALID_CURSOR"})

OnRestart = Callable[[ServiceRefusal], None]


class EventStream:
    """One run's stream. `on_restart` hears why when it has to begin again."""

    def __init__(self, client: OutpostClient, run_id: str, *, on_restart: OnRestart, pause: Pause = time.sleep) -> None:
        self._client = client
        self._run_id = run_id
        self._on_restart = on_restart
        self._pause = pause
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._last_event_id: str | None = None
        self._lost_connections = 0
        self._recollection = Recollection()

    def __iter__(self) -> Iterator[StreamMessage]:
        """Every message once, in order, until the run has ended and all of it has been told.

        A connection that ends or is lost is followed by the next, after the pause that the service asks for. Raises
        ConnectionLost when that leads nowhere, ServiceUnavailable, and the service's own refusals.
        """
        while True:
            try:
                is_over = yield from self._read_connection()
            except ServiceRefusal as refusal:
                self._get_over(refusal)
                is_over = False
            if is_over:
                return
            self._pause(self._pause_seconds)

    def _read_connection(self) -> Generator[StreamMessage, None, bool]:
        """What one connection brings; returns whether that was the end of the stream."""
        with self._client.events.open_stream(self._run_id, last_event_id=self._last_event_id) as messages:
            if messages is None:
                return True
            for message in messages:
                told = self._hear(message)
                if told is not None:
                    yield told
                if isinstance(told, Done):
                    return True
        # It came to its end, if without news.
        self._lost_connections = 0
        return False

    def _hear(self, message: ServerSentEvent) -> StreamMessage | None:
        """What is new in a message."""
        if message.retry is not None:
            self._pause_seconds = min(message.retry / 1000, LONGEST_PAUSE_SECONDS)
        if not message.data:
            return None
        self._lost_connections = 0
        if message.event == "error":
            raise interpret(lambda: read_stream_error(message.data))
        self._last_event_id = message.id or self._last_event_id
        if self._recollection.is_repeated(message.id, message.event, message.data):
            return None
        told = interpret(lambda: read_stream_message(message.event, message.data))
        return None if told is None else self._keep_new(told)

    def _keep_new(self, told: StreamMessage) -> StreamMessage | None:
        if isinstance(told, Done):
            return told
        if not isinstance(told, LogLines):
            return told if self._recollection.is_new(json.dumps(told.document, sort_keys=True)) else None
        attempt = str(told.attempt)
        is_new = self._recollection.is_new
        lines = tuple(line for line in told.lines if is_new(attempt, line.timestamp, line.stream, line.message))
        return told.keep(lines) if lines else None

    def _get_over(self, refusal: ServiceRefusal) -> None:
        """Makes ready for the next connection. Raises what no other connection can mend."""
        # That it may be asked again at once was said of an answer that is whole.
        self._pause_seconds = self._pause_seconds or FIRST_PAUSE_SECONDS
        if refusal.code in CURSOR_IS_LOST and self._last_event_id is not None:
            self._on_restart(refusal)
            self._last_event_id = None
            self._recollection.begin_again()
            return
        self._lost_connections += 1
        if not isinstance(refusal, ConnectionLost) or self._lost_connections > MOST_LOST_CONNECTIONS:
            raise refusal


def read_stream_error(data: str) -> ServiceFailed:
    """The error that a stream tells in the place of what was asked for. Raises ValueError."""
    document: JsonObject = read_stream_data(data)
    return ServiceFailed(
        read_text(document, "message"),
        code=read_text(document, "code"),
        remedy=read_text(document, "remedy"),
        status=None,
    )
