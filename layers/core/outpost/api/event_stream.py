"""A run's events and output as server-sent events, in answers that end and are taken up again by their ids.

Source of the format: HTML Living Standard, section 9.2, "Server-sent events".
"""

import json
from collections.abc import Mapping

from outpost.api.application import Reply
from outpost.api.pages import Listing, list_events
from outpost.api.queries import EventPageQuery, StreamQuery
from outpost.api.request import Request
from outpost.api.views import View, event_view, lines_view
from outpost.domain.errors import CursorInvalid
from outpost.domain.event import Event, EventType
from outpost.domain.run import RunStatus
from outpost.use_cases.follow_run import Done, Lines, Part, Place, follow_run
from outpost.use_cases.read_logs import LogPosition
from outpost.wiring import Wiring

MEDIA_TYPE = "text/event-stream"
WAIT_SECONDS = 20
RETRY_MILLISECONDS = 1_000
# Where there is more already, nobody has to wait for it.
RETRY_AT_ONCE = 0

_STATUSES = {
    EventType.RUN_RELEASED: RunStatus.PENDING,
    EventType.RUN_RUNNING: RunStatus.RUNNING,
    EventType.RUN_RELAUNCHED: RunStatus.PENDING,
    EventType.RUN_CANCELLING: RunStatus.CANCELLING,
    EventType.RUN_COMPLETED: RunStatus.COMPLETED,
    EventType.RUN_FAILED: RunStatus.FAILED,
    EventType.RUN_TIMEOUT: RunStatus.TIMEOUT,
    EventType.RUN_CANCELLED: RunStatus.CANCELLED,
}
_MESSAGES = {
    EventType.RUN_BUDGET_NEARLY_USED: "Four fifths of the model budget ({budget}) are used.",
    EventType.RUN_REPORTED: "The runner reported: {outcome}.",
    EventType.RUN_STOPPING: "Its compute is being stopped: {because}.",
}
# They end no line of the format, but for some of its readers they do.
_LINE_SEPARATORS = {ord(character): f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"}
_EXPIRED: View = {
    "code": "CURSOR_EXPIRED",
    "message": "What the id stands for is not kept any more.",
    "remedy": "Begin again without an id.",
}


def events_reply(request: Request, wiring: Wiring) -> Reply:
    """A page of events, or the stream for those who accept it. Raises CursorInvalid, RunNotFound."""
    if MEDIA_TYPE in (request.header("Accept") or ""):
        return _stream_reply(request, request.query(StreamQuery), wiring)
    return list_events(request.caller, request.id, request.query(EventPageQuery), wiring)


def _stream_reply(request: Request, query: StreamQuery, wiring: Wiring) -> Reply:
    listing = Listing(request.caller, {"list": "stream", "run": request.id}, wiring)
    last_id = request.header("Last-Event-ID") or query.last_event_id or None
    place = _read_place(listing.position(last_id))
    if place.is_done:
        return Reply(text="", status=204)  # a browser stops at this, and at nothing else
    try:
        news = follow_run(
            request.caller.tenant_id,
            request.id,
            place,
            wait_seconds=WAIT_SECONDS,
            runs=wiring.runs,
            events=wiring.events,
            agent_logs=wiring.agent_logs,
            clock=wiring.clock,
        )
    except CursorInvalid:
        # With an id of the beginning: an EventSource, which comes again by itself, begins again. An empty one would not
        # do, for it is not sent, and the id in the address would count once more.
        return _reply(_message("error", _EXPIRED, listing.cursor(_write_place(Place()))))
    told = [_part_message(request.id, part, listing.cursor(_write_place(part.behind))) for part in news.parts]
    return _reply("".join(told) or ": nothing new\n\n", RETRY_AT_ONCE if news.has_more_now else RETRY_MILLISECONDS)


def _reply(messages: str, retry_milliseconds: int = RETRY_MILLISECONDS) -> Reply:
    # Within the first message: by itself it would look like one without data.
    text = f"retry: {retry_milliseconds}\n{messages}"
    return Reply(text=text, content_type=f"{MEDIA_TYPE}; charset=utf-8")


def _part_message(run_id: str, part: Part, event_id: str) -> str:
    match part.what:
        case Event() as event:
            name, data = _event_data(event)
        case Lines(attempt=attempt, lines=lines):
            name, data = "log", {"attempt": attempt, **lines_view(lines)}
        case Done(status=status):
            name, data = "done", {"status": status}
    return _message(name, {"runId": run_id, **data}, event_id)


def _event_data(event: Event) -> tuple[str, View]:
    shown = {name: value for name, value in event_view(event).items() if name != "eventId"}
    status = event.details.get("status") if event.type is EventType.RUN_ACCEPTED else _STATUSES.get(event.type)
    if status is not None:
        return "status", {**shown, "status": status}
    return "progress", {**shown, "phase": event.details.get("phase"), "message": _sentence(event)}


def _sentence(event: Event) -> str | None:
    """What the event says in words, with what would be missed otherwise."""
    parts = [_MESSAGES.get(event.type, "").format_map(_Words(event.details))]
    if "leftOut" in event.details:
        parts.append(f"Left out: {event.details['leftOut']}")
    parts.append(event.details.get("notices", ""))
    return " ".join(part for part in parts if part) or None


class _Words(dict[str, str]):
    """What an event does not say is left open."""

    def __missing__(self, name: str) -> str:
        return "not said"


def _message(name: str, data: Mapping[str, object], event_id: str) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_LINE_SEPARATORS)
    return f"id: {event_id}\nevent: {name}\ndata: {text}\n\n"


def _read_place(position: str | None) -> Place:
    if position is None:
        return Place()
    events, attempt, token, is_done = json.loads(position)
    return Place(events, LogPosition(attempt, token), is_done)


def _write_place(place: Place) -> str:
    return json.dumps([place.events, place.logs.attempt, place.logs.token, place.is_done], separators=(",", ":"))
