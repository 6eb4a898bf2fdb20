"""The ports of the use cases over a state of the model: every call can be answered from a journal, so that a use case
can be interrupted between any two of its calls and taken up again later in another state of the world."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from model_world import EPOCH, NO_RUN, RUN_ID, TENANT, Records, Task
from model_writes import wrongs_of_write

from outpost.domain.errors import Unavailable
from outpost.domain.event import Event
from outpost.domain.outcome import StopCode, TaskState
from outpost.domain.report import Artifact
from outpost.domain.run import HEARTBEAT_LOST_SECONDS, START_ALLOWANCE_SECONDS, STOP_GRACE_SECONDS, Run
from outpost.ports import (
    Admission,
    AliveTasks,
    ExecutionStatus,
    IdempotencyLock,
    RunChangedMeanwhile,
    RunExistsAlready,
)

ERRORS: dict[str, type[Exception]] = {
    "meanwhile": RunChangedMeanwhile,
    "unavailable": Unavailable,
    "exists": RunExistsAlready,
}
BODY = "0" * 64


class Suspended(BaseException):
    """The use case has made the calls that it may make for now."""


def task_arn(number: int) -> str:
    """The name of a task."""
    return f"arn:aws:ecs:us-east-1:123456789012:task/outpost-dev/{number}"


def number_of(arn: str) -> int:
    """The number of a task."""
    return int(arn.rsplit("/", 1)[1])


def task_state(number: int, task: Task) -> TaskState:
    """What ECS says of a task."""
    return TaskState(
        task_arn=task_arn(number),
        tenant_id=TENANT,
        run_id=RUN_ID,
        attempt=task.attempt,
        is_stopped=task.life == "stopped",
        stop_code=StopCode(task.stop_code) if task.stop_code else None,
        stopped_reason="a reason" if task.stop_code else None,
        exit_code=task.exit_code,
        stopped_at=EPOCH if task.life == "stopped" else None,
    )


def aged(run: Run, age: str) -> Run:
    """The record as the sweep finds it when one of its clocks has run out: ages are all there is of time."""
    settled = timedelta(seconds=61)
    times = {"status_since": EPOCH - settled, "check_at": EPOCH}
    if age == "start-overdue":
        times["status_since"] = EPOCH - timedelta(seconds=START_ALLOWANCE_SECONDS + 1)
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


class OneIdentifier:
    """One run has one name; its events need none."""

    def new(self, at: datetime) -> str:
        return RUN_ID


@dataclass
class Ports:
    """Runs, Tasks and Executions in one; `effects` is what the calls did to the world, in order."""

    records: Records
    run: int
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

    def _call(self, name: str, do: Callable[[], object]) -> object:
        if self._position == len(self.journal):
            if self.calls_left == 0:
                raise Suspended
            self.calls_left -= 1
            self.journal.append(self._make(name, do))
        answer = self.journal[self._position]
        self._position += 1
        if isinstance(answer, str) and answer.startswith("!"):
            raise ERRORS[answer[1:]]
        return answer

    def _make(self, name: str, do: Callable[[], object]) -> object:
        """The answer of a call that is made now; one that is to fail does so before or after its effect."""
        how, self.fail_next = self.fail_next or ("before" if name in self.failing else ""), ""
        if not how:
            return do()
        if how == "after":
            do()
        return "!unavailable"

    def create(self, run: Run, event: Event, admission: Admission) -> None:
        self._call("create", lambda: self._create(run))

    def _create(self, run: Run) -> object:
        if self.run != NO_RUN:
            return "!exists"
        self.run = self.records.number(run)
        self.effects.extend([("slot", 1), ("made",)])
        return None

    def get(self, tenant_id: str, run_id: str) -> Run | None:
        answer = self._call("get", lambda: ("run", self.run, self._age_now()))
        _, number, age = answer  # type: ignore[misc]
        return aged(self.records[number], age) if age else self.records[number]

    def _age_now(self) -> str:
        run = self.records[self.run]
        return self.age if (run.status.value, run.attempt) == self.begun else ""

    def find_lock(self, tenant_id: str, key: str) -> IdempotencyLock:
        return IdempotencyLock(key, BODY, RUN_ID, EPOCH + timedelta(hours=24))

    def save(self, before: Run, after: Run, event: Event | None, artifacts: Sequence[Artifact] | None = None) -> Run:
        answer = self._call("save", lambda: self._save(before, after, event))
        return self.records[answer[1]]  # type: ignore[index]

    def _save(self, before: Run, after: Run, event: Event | None) -> object:
        current = self.records[self.run]
        if current.revision != before.revision:
            return "!meanwhile"
        self.effects.extend(("wrong", wrong) for wrong in wrongs_of_write(before, after, event, self.begun))
        if before.holds_slot and not after.holds_slot:
            self.effects.append(("slot", -1))
        self.run = self.records.number(replace(after, revision=before.revision + 1))
        return ("run", self.run, "")

    def due(self, shard: str, at: datetime, limit: int) -> tuple[tuple[str, str], ...]:
        return ((TENANT, RUN_ID),) if shard == "ACTIVE#0" else ()

    def holders(self) -> tuple[str, ...]:
        """No tenant: the counter has to be right without being mended."""
        return ()

    def describe(self, arn: str) -> TaskState | None:
        number = number_of(arn)
        task = self._call("describe", lambda: self.tasks[number].seen)
        return None if task.life == "forgotten" else task_state(number, task)  # type: ignore[attr-defined]

    def alive(self) -> AliveTasks:
        listed = self._call("alive", lambda: tuple((n, t.seen) for n, t in enumerate(self.tasks)))
        running = (task_state(n, t) for n, t in listed if t.life == "running")  # type: ignore[attr-defined]
        return AliveTasks(tuple(running), is_complete=True)

    def start(self, run: Run, bootstrap_token: str) -> None:
        self._call("start", lambda: self.effects.append(("start", run.attempt)))

    def status(self, run_id: str) -> ExecutionStatus | None:
        answer = self._call("status", lambda: self.execution)
        return ExecutionStatus(answer) if answer else None

    def stop(self, name: str, reason: str = "", *, error: str = "", cause: str = "") -> None:
        """Both StopTask and StopExecution."""
        effect = ("stop_execution",) if name == RUN_ID else ("stop_task", number_of(name))
        self._call(effect[0], lambda: self.effects.append(effect))  # type: ignore[arg-type]
