"""Watching a run until it has ended."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from outpost_cli.client import LONGEST_LOG_PAGE, OutpostClient
from outpost_cli.models.event import RunEvent
from outpost_cli.models.page import LogLine
from outpost_cli.models.run import Run

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
PAUSE_GROWTH = 1.5
LOG_WAIT_SECONDS = 5
EVENT_WAIT_SECONDS = 20
SHORTEST_ROUND_SECONDS = 0.5

Pause = Callable[[float], None]
Seen = TypeVar("Seen")


def look_until(
    look: Callable[[], Seen],
    *,
    is_over: Callable[[Seen], bool],
    on_look: Callable[[Seen], None],
    longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
    pause: Pause = time.sleep,
) -> Seen:
    """What is seen once it is over; it is looked at in growing intervals, and every look goes to `on_look`."""
    pause_seconds = min(FIRST_PAUSE_SECONDS, longest_pause_seconds)
    while True:
        seen = look()
        on_look(seen)
        if is_over(seen):
            return seen
        pause(pause_seconds)
        pause_seconds = min(pause_seconds * PAUSE_GROWTH, longest_pause_seconds)


def wait_for_end(
    client: OutpostClient,
    run_id: str,
    *,
    on_look: Callable[[Run], None],
    longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
    pause: Pause = time.sleep,
) -> Run:
    """The run once it has ended."""
    return look_until(
        lambda: client.get_run(run_id),
        is_over=lambda run: run.is_terminal,
        on_look=on_look,
        longest_pause_seconds=longest_pause_seconds,
        pause=pause,
    )


@dataclass(frozen=True, slots=True)
class LogFollower:
    """Reads a run's log as it grows."""

    client: OutpostClient
    on_line: Callable[[LogLine], None]
    on_look: Callable[[Run], None]
    pause: Pause = time.sleep

    def follow(self, run_id: str) -> Run:
        """Every line once, in order, until the run has ended and its log is complete; then the run."""
        cursor: str | None = None
        while True:
            run = self.client.get_run(run_id)
            self.on_look(run)
            began = time.monotonic()
            page = self.client.get_logs(run_id, cursor=cursor, wait_seconds=LOG_WAIT_SECONDS)
            for line in page.lines:
                self.on_line(line)
            cursor = page.page.next_cursor or cursor
            # Only a page that was asked for after the end can prove that nothing more comes.
            if run.is_terminal and not page.lines and not page.page.has_more:
                return run
            # What an ended run has printed is there already, and so is what a full page had no room for.
            is_more_at_hand = run.is_terminal or len(page.lines) >= LONGEST_LOG_PAGE
            if not page.lines or not is_more_at_hand:
                keep_distance(began, self.pause)


def keep_distance(began: float, pause: Pause) -> None:
    """A service that has nothing yet, or a line at a time, must not be asked in a tight loop."""
    left = SHORTEST_ROUND_SECONDS - (time.monotonic() - began)
    if left > 0:
        pause(left)


def read_whole_log(client: OutpostClient, run_id: str) -> Iterator[LogLine]:
    """The log as far as it is written now."""
    cursor: str | None = None
    while True:
        page = client.get_logs(run_id, cursor=cursor)
        yield from page.lines
        # While the run lives there is always more to come, some day: that is where it stays at the same place.
        is_at_the_end = not page.lines and page.page.next_cursor == cursor
        cursor = page.page.next_cursor
        if is_at_the_end or not page.page.has_more or cursor is None:
            return


def read_whole_timeline(client: OutpostClient, run_id: str) -> Iterator[RunEvent]:
    """What has happened until now."""
    cursor: str | None = None
    while True:
        page = client.events.get_events(run_id, cursor=cursor)
        yield from page.events
        cursor = page.page.next_cursor
        # While the run lives there is always more to come, some day.
        if not page.events or not page.page.has_more or cursor is None:
            return


def follow_events(client: OutpostClient, run_id: str, *, pause: Pause = time.sleep) -> Iterator[RunEvent]:
    """What has happened and what happens, each once and in order, until the run has ended and nothing follows."""
    cursor: str | None = None
    while True:
        began = time.monotonic()
        page = client.events.get_events(run_id, cursor=cursor, wait_seconds=EVENT_WAIT_SECONDS)
        yield from page.events
        cursor = page.page.next_cursor or cursor
        if not page.page.has_more:
            return
        if not page.events:
            keep_distance(began, pause)
