"""Follows a run: its events and its output as one sequence, which can be taken up again behind any part of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import merge
from itertools import takewhile

from outpost.domain.event import Event
from outpost.domain.run import Run, RunStatus
from outpost.ports import AgentLogs, Clock, Events, LogLine, Runs
from outpost.use_cases.find_results import require_run
from outpost.use_cases.read_logs import POLL, LogPosition, RunLogs, read_lines

EVENTS_AT_ONCE = 100
# CloudWatch Logs gives at most a megabyte of them: escaped, and with what is around them, they fit into Lambda's 6 MB.
LINES_AT_ONCE = 5_000


@dataclass(frozen=True)
class Place:
    """A place in the sequence: how many events have been told, how much of the output, and whether that is all."""

    events: int = 0
    logs: LogPosition = field(default_factory=LogPosition)
    is_done: bool = False


@dataclass(frozen=True)
class Lines:
    """Lines of an attempt's output."""

    attempt: int
    lines: tuple[LogLine, ...]


@dataclass(frozen=True)
class Done:
    """The run has ended as `status`, and all of it has been told."""

    status: RunStatus


@dataclass(frozen=True)
class Part:
    """One part of the sequence, and the place behind it."""

    what: Event | Lines | Done
    behind: Place


@dataclass(frozen=True)
class News:
    """Parts that follow on each other, and whether there is more behind them already."""

    parts: tuple[Part, ...]
    has_more_now: bool = False


def follow_run(
    tenant_id: str,
    run_id: str,
    place: Place,
    *,
    wait_seconds: int,
    runs: Runs,
    events: Events,
    agent_logs: AgentLogs,
    clock: Clock,
) -> News:
    """What comes after the place, as soon as there is something; nothing after `wait_seconds` without news.

    Raises RunNotFound, and CursorInvalid for a place whose log token has expired.
    """
    gives_up_at = clock.now() + timedelta(seconds=wait_seconds)
    while True:
        run = require_run(tenant_id, run_id, runs=runs)
        logs = read_lines(run, place.logs, limit=LINES_AT_ONCE, agent_logs=agent_logs, now=clock.now())
        told = _not_ahead(_new_events(run, place.events, EVENTS_AT_ONCE, events), logs)
        parts = _in_order(place, told, logs)
        is_over = run.status.is_terminal and place.events + len(told) >= run.events and not logs.has_more
        if is_over:
            parts.append(Part(Done(run.status), replace(parts[-1].behind if parts else place, is_done=True)))
        if parts or clock.now() + POLL > gives_up_at:
            return News(tuple(parts), has_more_now=bool(parts) and not is_over and _is_full(run, told, logs))
        place = replace(place, logs=logs.position)
        clock.sleep(POLL.total_seconds())


@dataclass(frozen=True)
class RunEvents:
    """Events of a run in their order, and whether more may come."""

    events: tuple[Event, ...]
    has_more: bool


def read_events(
    tenant_id: str, run_id: str, *, after: int, limit: int, wait_seconds: int, runs: Runs, events: Events, clock: Clock
) -> RunEvents:
    """The events behind the first `after`, waited for up to `wait_seconds` while the run lives. Raises RunNotFound."""
    gives_up_at = clock.now() + timedelta(seconds=wait_seconds)
    while True:
        run = require_run(tenant_id, run_id, runs=runs)
        found = _new_events(run, after, limit, events)
        has_more = not run.status.is_terminal or after + len(found) < run.events
        if found or not has_more or clock.now() + POLL > gives_up_at:
            return RunEvents(found, has_more)
        clock.sleep(POLL.total_seconds())


def _new_events(run: Run, after: int, limit: int, events: Events) -> tuple[Event, ...]:
    return events.of_run(run.tenant_id, run.run_id, after=after, limit=limit) if run.events > after else ()


def _not_ahead(told: tuple[Event, ...], logs: RunLogs) -> tuple[Event, ...]:
    """Those up to the last line: more lines may lie between it and the events behind it."""
    if not logs.lines:
        return told
    return tuple(takewhile(lambda event: event.at <= logs.lines[-1].timestamp, told))


def _is_full(run: Run, told: tuple[Event, ...], logs: RunLogs) -> bool:
    """Whether more is there already; what an ended run still has to tell has all happened."""
    return run.status.is_terminal or len(logs.lines) == LINES_AT_ONCE or len(told) == EVENTS_AT_ONCE


def _in_order(place: Place, told: tuple[Event, ...], logs: RunLogs) -> list[Part]:
    """By time; each keeps its own order, whatever the clocks said, so that a place is a pair of places."""
    whats: list[tuple[datetime, Event | Lines]] = [(event.at, event) for event in told]
    lines: list[tuple[datetime, Event | Lines]] = []
    if logs.lines:
        lines.append((logs.lines[0].timestamp, Lines(logs.attempt, logs.lines)))
    parts = []
    for _, what in merge(whats, lines, key=lambda pair: pair[0]):
        if isinstance(what, Event):
            place = replace(place, events=what.number or place.events)
        else:
            place = replace(place, logs=logs.position)
        parts.append(Part(what, place))
    return parts
