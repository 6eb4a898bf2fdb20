"""Virtual time: a clock that moves only when something is due, and processes that wait on it."""

import heapq
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

# What a process yields: how many seconds it waits, or None for until it is woken.
Waiting = Generator[float | None, None, Any]


@dataclass
class VirtualClock:
    """The Clock of every function."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(order=True)
class Appointment:
    """Something that is due at a time; of two at the same time, the one that was made first."""

    at: datetime
    number: int
    action: Callable[[], None] = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)


class Timeline:
    """Does what is due, in order, with the clock at its time."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._appointments: list[Appointment] = []
        self._made = 0

    def after(self, seconds: float, action: Callable[[], None]) -> Appointment:
        self._made += 1
        appointment = Appointment(self.clock.at + timedelta(seconds=seconds), self._made, action)
        heapq.heappush(self._appointments, appointment)
        return appointment

    def next_at(self) -> datetime:
        """When the next thing is due."""
        return self._appointments[0].at

    def do_next(self) -> None:
        appointment = heapq.heappop(self._appointments)
        if not appointment.is_cancelled:
            self.clock.at = max(self.clock.at, appointment.at)
            appointment.action()


class Process:
    """A generator that runs in virtual time; `wake` ends its wait, `kill` ends it where it stands."""

    def __init__(self, timeline: Timeline, steps: Waiting, delay: float = 0) -> None:
        self._timeline = timeline
        self._steps = steps
        self._next: Appointment | None = timeline.after(delay, self._resume)
        self.is_over = False

    def wake(self) -> None:
        if not self.is_over:
            self._cancel()
            self._next = self._timeline.after(0, self._resume)

    def kill(self) -> None:
        """Also from within: then the process ends at its next wait."""
        self._cancel()
        self.is_over = True

    def _cancel(self) -> None:
        if self._next is not None:
            self._next.is_cancelled = True
            self._next = None

    def _resume(self) -> None:
        self._next = None
        try:
            seconds = next(self._steps)
        except StopIteration:
            self.is_over = True
            return
        if seconds is not None and not self.is_over and self._next is None:
            self._next = self._timeline.after(seconds, self._resume)
