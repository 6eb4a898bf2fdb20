"""A run's life as a test makes it up: attempts lost with and without a task, lines and events that arrive late."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from builders import CLAIM, a_run, an_event
from fake_runs import InMemoryEvents
from fakes import InMemoryAgentLogs, SteppedClock

from outpost.domain.event import Event, EventType
from outpost.domain.run import Run, RunStatus
from outpost.domain.run_error import RunError, RunErrorCode
from outpost.ports import LogLine
from outpost.use_cases.change_run import Change, change_run

LOST = RunError.of(RunErrorCode.COMPUTE_LOST, "reclaimed")
LATEST = timedelta(seconds=4.9)  # less than what read_logs waits for


@dataclass
class Story:
    """One run of the world's, accepted at noon; each deed happens a moment after the one before, if it can happen."""

    world: Any
    logs: InMemoryAgentLogs = field(default_factory=InMemoryAgentLogs)
    numbers: count = field(default_factory=count)
    skew: timedelta = timedelta()
    index_lags: bool = False

    def __post_init__(self) -> None:
        self.events = InMemoryEvents(self.world.runs)
        self.world.add(a_run(events=1))
        self.world.runs.events.append(an_event(number=1))

    @property
    def run(self) -> Run:
        """The run as it is."""
        run: Run = self.world.run()
        return run

    @property
    def told(self) -> list[Event]:
        """Its events, in the order of their numbers."""
        return [event for event in self.world.runs.events if event.run_id == self.run.run_id]

    @property
    def written(self) -> list[str]:
        """Its output: attempt by attempt, in the order of writing."""
        return [line.message for task_arn in sorted(self.logs.logs) for line in self.logs.logs[task_arn]]

    def play(self, *deeds: str) -> "Story":
        """The story after the deeds, by their names."""
        for deed in deeds:
            getattr(self, deed)()
        return self

    def claim(self) -> None:
        """A runner takes the run."""
        if self.run.status is RunStatus.PENDING:
            attempt, now = self.run.attempt, self._pass(0.1)
            self._change(
                EventType.RUN_RUNNING,
                self.run.claimed(attempt=attempt, claim_id=CLAIM, task_arn=task_of(attempt), at=now),
            )

    def write(self) -> None:
        """The agent prints a line; a runner takes the run first, where none has."""
        self.claim()
        if self.run.status is RunStatus.RUNNING:
            self._write(self.run.attempt, self._pass(0.1))

    def write_late(self) -> None:
        """A line arrives of the attempt that was lost last, or of the one that ended the run."""
        now = self._pass(0.1)
        ended = {lost.attempt: lost.ended_at for lost in self.run.lost_attempts if lost.task_arn is not None}
        if self.run.ended_at is not None and self.run.task_arn is not None:
            ended[self.run.attempt] = self.run.ended_at
        if ended and now - ended[max(ended)] < LATEST:
            self._write(max(ended), now)

    def lose(self) -> None:
        """The attempt is lost beneath the agent, or before a runner took it."""
        if self.run.status in (RunStatus.PENDING, RunStatus.RUNNING):
            self._change(EventType.RUN_RELAUNCHED, self.run.relaunched(LOST, self._pass(0.1)))

    def end(self) -> None:
        """The run fails."""
        if not self.run.status.is_terminal:
            self._change(EventType.RUN_FAILED, self.run.ended(RunStatus.FAILED, LOST, self._pass(0.1)))

    def rest(self) -> None:
        """A while goes by, which is not enough for what is on its way to arrive."""
        self._pass(3)

    def rest_long(self) -> None:
        """So much time goes by that everything has arrived."""
        self._pass(60)

    def date_early(self) -> None:
        """From now on, events are dated by a clock that is slow."""
        self.skew = timedelta(seconds=-2)

    def date_late(self) -> None:
        """From now on, events are dated by a clock that is fast."""
        self.skew = timedelta(seconds=2)

    def fall_behind(self) -> None:
        """From now on, events do not come to the index."""
        self.index_lags = True

    def keep_up(self) -> None:
        """From now on, events come to the index at once, before those that did not."""
        self.index_lags = False

    def catch_up(self) -> None:
        """The index has every event."""
        self.index_lags = False
        self.events.unseen.clear()

    def _pass(self, seconds: float) -> Any:
        self.world.clock.move(seconds=seconds)
        return self.world.clock.now()

    def _write(self, attempt: int, now: Any) -> None:
        self.logs.write(task_of(attempt), LogLine(now, "stdout", f"line {next(self.numbers)}"))

    def _change(self, event_type: EventType, after: Run) -> None:
        after_change = change_run(
            after.tenant_id,
            after.run_id,
            lambda _: Change(after, event_type),
            runs=self.world.runs,
            clock=SteppedClock(self.world.clock.now() + self.skew),
            identifiers=self.world.identifiers,
        )
        if self.index_lags:
            self.events.unseen.add(after_change.events)


def task_of(attempt: int) -> str:
    """The task of an attempt of a story."""
    return f"arn:aws:ecs:us-east-1:123456789012:task/outpost-dev/{attempt:016d}"


CLOCKS_AND_INDEX = ("date_early", "date_late", "fall_behind", "keep_up", "catch_up")
DEEDS = ("write", "write", "write_late", "lose", "lose", "rest")
