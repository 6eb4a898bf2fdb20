"""The ports of the use cases over a state of the model: every call can be answered from a journal, so that a use case
can be interrupted between any two of its calls and taken up again later in another state of the world."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from fake_runs import InMemoryRuns
from model_tables import RUN_IDS, Raised, Tables, raised_of
from model_world import EPOCH, NO_RUN, TENANT, Ledger, Task
from model_writes import wrongs_of_admission, wrongs_of_use, wrongs_of_write

from outpost.domain.errors import OutpostError
from outpost.domain.event import Event
from outpost.domain.outcome import StopCode, TaskState
from outpost.domain.report import Artifact
from outpost.domain.run import HEARTBEAT_LOST_SECONDS, START_ALLOWANCE_SECONDS, STOP_GRACE_SECONDS, Priority, Run
from outpost.ports import Admission, AliveTasks, ExecutionStatus, IdempotencyLock, RequestedPromotion

# A task that was claimed stops so long after its claim: what a run has used is then not nothing.
TASK_LASTS = timedelta(seconds=10)


class Suspended(BaseException):
    """The use case has made the calls that it may make for now."""


def task_arn(place: int, number: int) -> str:
    """The name of a task of a run."""
    return f"arn:aws:ecs:us-east-1:123456789012:task/outpost-dev/{place}-{number}"


def number_of(arn: str) -> int:
    """The number of a task."""
    return int(arn.rsplit("-", 1)[1])


def wait_token(place: int, asked: int) -> str:
    """The token with which a run's execution asks for its slot, each time another."""
    return f"{place}/{asked}"


def task_state(place: int, number: int, task: Task) -> TaskState:
    """What ECS says of a task."""
    return TaskState(
        task_arn=task_arn(place, number),
        tenant_id=TENANT,
        run_id=RUN_IDS[place],
        attempt=task.attempt,
        is_stopped=task.life == "stopped",
        stop_code=StopCode(task.stop_code) if task.stop_code else None,
        stopped_reason="a reason" if task.stop_code else None,
        exit_code=task.exit_code,
        stopped_at=EPOCH + TASK_LASTS if task.life == "stopped" else None,
    )


def aged(run: Run, age: str) -> Run:
    """The record as the sweep finds it when one of its clocks has run out: ages are all there is of time."""
    settled = timedelta(seconds=61)
    times = {"status_since": EPOCH - settled, "check_at": EPOCH}
    if age == "start-overdue":
        times["status_since"] = EPOCH - timedelta(seconds=START_ALLOWANCE_SECONDS + 1)
    if age == "queue-overdue":
        times["status_since"] = EPOCH - timedelta(seconds=run.queue_timeout_seconds + 1)
    if age == "silent" and run.heartbeat_at:
        times["heartbeat_at"] = EPOCH - timedelta(seconds=HEARTBEAT_LOST_SECONDS + 1)
    if age == "run-overdue" and run.started_at:
        times["started_at"] = EPOCH - timedelta(seconds=run.timeout_seconds + STOP_GRACE_SECONDS + 1)
    if age == "forgotten":
        long_ago = EPOCH - timedelta(hours=3)
        times |= {"status_since": long_ago} | ({"heartbeat_at": long_ago} if run.heartbeat_at else {})
    return replace(run, **times)


class StillClock:
    """No time passes within a use case."""

    def now(self) -> datetime:
        return EPOCH

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class OneIdentifier:
    """One run has one name; its events need none."""

    run_id: str

    def new(self, at: datetime) -> str:
        return self.run_id


@dataclass
class Ports:
    """Runs, Tasks and Executions in one, as the run at `place` needs them; the others are beside.

    `effects` is what the calls did to the world, in order.
    """

    tables: Tables
    ledger: Ledger
    place: int
    execution: str
    tasks: tuple[Task, ...]
    begun: tuple[str, int]
    age: str = ""
    journal: list[object] = field(default_factory=list)
    calls_left: int = 1_000
    failing: frozenset[str] = frozenset()
    fail_next: str = ""
    effects: list[tuple[object, ...]] = field(default_factory=list)
    _position: int = 0

    @property
    def priority(self) -> Priority:
        """With which the run is dispatched."""
        return self.tables.bounds.runs[self.place]

    def call(self, name: str, do: Callable[[], object]) -> Any:
        """The answer from the journal, or from the world if the call was not made yet."""
        if self._position == len(self.journal):
            if self.calls_left == 0:
                raise Suspended
            self.calls_left -= 1
            self.journal.append(self._make(name, do))
        answer = self.journal[self._position]
        self._position += 1
        if isinstance(answer, Raised):
            raise self.tables.error(answer)
        return answer

    def _make(self, name: str, do: Callable[[], object]) -> object:
        """The answer of a call that is made now; one that is to fail does so before or after its effect."""
        how, self.fail_next = self.fail_next or ("before" if name in self.failing else ""), ""
        if not how:
            return do()
        if how == "after":
            do()
        return Raised("unavailable")

    def _write(self, do: Callable[[InMemoryRuns], object]) -> tuple[Raised | None, int]:
        """What the write was refused with, if it was; and by how much the agent time that counts has changed."""
        tables = self.tables.fill(self.ledger)
        try:
            do(tables)
        except OutpostError as refusal:
            return raised_of(refusal, self.ledger), 0
        self.ledger = self.tables.read(tables, self.ledger.switch)
        return None, sum(usage.agent_seconds for usage in tables.used.values())

    def _accuse(self, wrongs: Sequence[str]) -> None:
        self.effects.extend(("wrong", wrong) for wrong in wrongs)

    def create(self, run: Run, event: Event, admission: Admission) -> None:
        self.call("create", lambda: self._create(run, event, admission))

    def _create(self, run: Run, event: Event, admission: Admission) -> object:
        before = self.ledger
        refused, used = self._write(lambda tables: tables.create(run, event, admission))
        if refused is None:
            self._accuse(["I5: a second run of one idempotency key"] if before.runs[self.place] != NO_RUN else [])
            waiting = self.tables.waiting(before)
            self._accuse(
                [*wrongs_of_admission(self.tables, before, None, run, waiting), *wrongs_of_use(None, run, used)]
            )
        return refused

    def get(self, tenant_id: str, run_id: str) -> Run | None:
        place = RUN_IDS.index(run_id)
        _, number, age = self.call("get", lambda: ("run", self.ledger.runs[place], self._age_now(place)))
        run = self.tables.run(number)
        return aged(run, age) if age else run

    def _age_now(self, place: int) -> str:
        run = self.tables.run(self.ledger.runs[place])
        return self.age if place == self.place and (run.status.value, run.attempt) == self.begun else ""

    def find_lock(self, tenant_id: str, key: str) -> IdempotencyLock | None:
        return self.tables.fill(self.ledger).find_lock(tenant_id, key)

    def save(
        self,
        before: Run,
        after: Run,
        event: Event | None,
        artifacts: Sequence[Artifact] | None = None,
        promotion: RequestedPromotion | None = None,
    ) -> Run:
        _, number, _ = self.call("save", lambda: self._save(before, after, event))
        return self.tables.run(number)

    def _save(self, before: Run, after: Run, event: Event | None) -> object:
        place, ledger = RUN_IDS.index(after.run_id), self.ledger
        refused, used = self._write(lambda tables: tables.save(before, after, event))
        if refused is not None:
            return refused
        begun = self.begun if place == self.place else (before.status.value, before.attempt)
        self._accuse(
            [
                *wrongs_of_write(before, after, event, begun),
                *wrongs_of_admission(self.tables, ledger, before, after, self._seen_waiting()),
                *wrongs_of_use(before, after, used),
            ]
        )
        return "run", self.ledger.runs[place], ""

    def _seen_waiting(self) -> tuple[str, ...]:
        """Who waited when this use case last looked at the queue."""
        looks = [entry[2] for entry in self.journal if isinstance(entry, tuple) and entry and entry[0] == "head"]
        return looks[-1] if looks else ()

    def due(self, shard: str, at: datetime, limit: int) -> tuple[tuple[str, str], ...]:
        """One run: a round over several is a round over each."""
        return ((TENANT, RUN_IDS[self.place]),) if shard == "ACTIVE#0" else ()

    def describe(self, arn: str) -> TaskState | None:
        number = number_of(arn)
        task = self.call("describe", lambda: self.tasks[number].seen)
        return None if task.life == "forgotten" else task_state(self.place, number, task)

    def alive(self) -> AliveTasks:
        listed = self.call("alive", lambda: tuple((n, t.seen) for n, t in enumerate(self.tasks)))
        running = (task_state(self.place, n, t) for n, t in listed if t.life == "running")
        return AliveTasks(tuple(running), is_complete=True)

    def start(self, run: Run, bootstrap_token: str) -> None:
        effect = ("start", RUN_IDS.index(run.run_id), run.attempt, run.is_queued)
        self.call("start", lambda: self.effects.append(effect))

    def release(self, token: str, bootstrap_token: str) -> None:
        place, asked = token.split("/")
        self.call("release", lambda: self.effects.append(("release", int(place), int(asked))))

    def status(self, run_id: str) -> ExecutionStatus | None:
        answer = self.call("status", lambda: self.execution)
        return ExecutionStatus(answer) if answer else None

    def stop(self, name: str, reason: str = "", *, error: str = "", cause: str = "") -> None:
        """Both StopTask and StopExecution."""
        is_execution = name in RUN_IDS
        kind, which = ("stop_execution", RUN_IDS.index(name)) if is_execution else ("stop_task", number_of(name))
        self.call(kind, lambda: self.effects.append((kind, which)))
