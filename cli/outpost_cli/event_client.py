"""The route of a run's events: its timeline in pages, and one answer of its stream."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

import httpx
from httpx_sse import EventSource, ServerSentEvent, SSEError

from outpost_cli.answers import interpret
from outpost_cli.errors import UnexpectedAnswer
from outpost_cli.ids import make_run_path
from outpost_cli.json_fields import read_list
from outpost_cli.models.event import EventPage, RunEvent
from outpost_cli.models.page import Page
from outpost_cli.transport import Transport

LONGEST_EVENT_PAGE = 100


@dataclass(frozen=True, slots=True)
class EventClient:
    """Events of runs. An error answer is raised as a ServiceRefusal of `outpost_cli.errors`."""

    transport: Transport

    def get_events(self, run_id: str, *, cursor: str | None = None, wait_seconds: int = 0) -> EventPage:
        """Events after the cursor; waits up to `wait_seconds` (at most 20) for the first of them."""
        query = [("limit", str(LONGEST_EVENT_PAGE)), ("wait", str(wait_seconds))]
        query += [("cursor", cursor)] if cursor else []
        answer = self.transport.call("GET", f"{make_run_path(run_id)}/events", query=query)
        return interpret(
            lambda: EventPage(
                events=read_list(answer.data, "events", RunEvent.from_document), page=Page.from_meta(answer.meta)
            )
        )

    @contextmanager
    def open_stream(self, run_id: str, *, last_event_id: str | None) -> Iterator[Iterator[ServerSentEvent] | None]:
        """One answer of the stream, message by message; None when all has been told.

        A connection that is lost on the way is raised as ConnectionLost.
        """
        path = f"{make_run_path(run_id)}/events"
        headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        with self.transport.stream_events(path, headers) as response:
            yield None if response.status_code == HTTPStatus.NO_CONTENT else read_messages(response)


def read_messages(response: httpx.Response) -> Iterator[ServerSentEvent]:
    try:
        yield from EventSource(response).iter_sse()
    except SSEError as error:
        raise UnexpectedAnswer("The service answered with something other than an event stream.") from error
