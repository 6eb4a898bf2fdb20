"""What a state of the model is: records and counters, executions, tasks with their runners, and what is under way."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from outpost.domain.run import Priority, Run

EPOCH = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
TENANT = "acme"
NO_RUN = -1
NOBODY = -1
LIVE = ("provisioning", "running", "stopping")


class Task(NamedTuple):
    """One launch: `life` is what ECS knows, `runner` what its process is at, `accepted` whether its claim was granted.

    life:   provisioning, running, stopping, stopped, forgotten
    runner: "" (not up yet), up, working, ended:<outcome>, reported:<outcome>, quitting:<exit code>
    """

    attempt: int
    life: str = "provisioning"
    stop_code: str | None = None
    exit_code: int | None = None
    runner: str = ""
    accepted: bool = False

    @property
    def is_live(self) -> bool:
        """Whether something of it still runs, or will."""
        return self.life in LIVE

    @property
    def seen(self) -> "Task":
        """What ECS shows of it."""
        life = {"provisioning": "running"}.get(self.life, self.life)
        return Task(self.attempt, life, self.stop_code, self.exit_code)


class Execution(NamedTuple):
    """Where the machine is: ask, wait, launch, watch, finish; `ended_at` is where a redrive would go on.

    `asked` counts the tokens with which it has asked for its slot; `is_waiting` until the slot came.
    """

    status: str = ""
    at: str = ""
    attempt: int = 0
    watched: int = NOBODY
    error: str = ""
    ended_at: str = ""
    asked: int = 0
    is_waiting: bool = False


class Life(NamedTuple):
    """What belongs to one run beside its record; events need no place here, see `model_actions`."""

    execution: Execution = Execution()
    tasks: tuple[Task, ...] = ()
    executions_told: tuple[str, ...] = ()
    stop_under_way: int = NOBODY


class Torn(NamedTuple):
    """A use case that has been interrupted between two of its calls: what it was asked, and the answers so far.

    `of` is the run that it was asked about, `begun` that run's status and attempt then.
    """

    operation: tuple[object, ...]
    of: int
    begun: tuple[str, int]
    journal: tuple[object, ...]
    is_machine: bool


class Ledger(NamedTuple):
    """What the tables hold: each run's record by its number, and the counters; `switch` is what keeps work from
    beginning: "", tenant, stopping (the tenant's, which also ends what runs), deployment, suspended."""

    runs: tuple[int, ...]
    active: int = 0
    queued: int = 0
    deployment_active: int = 0
    switch: str = ""


class World(NamedTuple):
    """One state; `at` is the run that is looked at. `others_at_work` hold slots and are not followed further."""

    ledger: Ledger
    lives: tuple[Life, ...]
    at: int = 0
    others_at_work: int = 0
    torn: Torn | None = None
    torn_left: int = 0
    faults_left: int = 0
    switches_left: int = 0

    @property
    def run(self) -> int:
        """The number of the run's record."""
        return self.ledger.runs[self.at]

    @property
    def life(self) -> Life:
        """What belongs to the run."""
        return self.lives[self.at]

    @property
    def execution(self) -> Execution:
        """The run's execution."""
        return self.life.execution

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The run's tasks."""
        return self.life.tasks

    def living(self, **changes: Any) -> "World":
        """The state with another life of the run."""
        life = self.life._replace(**changes)
        return self._replace(lives=(*self.lives[: self.at], life, *self.lives[self.at + 1 :]))


@dataclass(frozen=True)
class Bounds:
    """How far a search goes; `only` keeps it to the steps whose names begin so.

    `runs` are the priorities of the runs that are dispatched, `busy` the slots that others hold in the beginning.
    """

    depth: int
    faults: int
    torn: int = 0
    launches: int = 4
    only: frozenset[str] = frozenset({""})
    claims_without_arn: bool = False
    runs: tuple[Priority, ...] = (Priority.NORMAL,)
    busy: int = 0
    slots: int = 1
    deployment_slots: int = 9
    switches: int = 0

    @property
    def first(self) -> World:
        """Before anything was dispatched."""
        busy = self.busy
        ledger = Ledger((NO_RUN,) * len(self.runs), active=busy, deployment_active=busy)
        return World(
            ledger,
            (Life(),) * len(self.runs),
            others_at_work=busy,
            torn_left=self.torn,
            faults_left=self.faults,
            switches_left=self.switches,
        )


class NoTags(dict[str, str]):
    """No tags, hashable, so that records are."""

    def __hash__(self) -> int:  # type: ignore[override]
        return 0


class Records:
    """Every record met, by number: states stay small, and equal records are one."""

    def __init__(self) -> None:
        self._numbers: dict[Run, int] = {}
        self._runs: list[Run] = []
        self._revised: dict[tuple[int, int], int] = {}

    def number(self, run: Run) -> int:
        """The number of the record, its times taken out: the model keeps ages, not times."""
        timeless = _without_times(run)
        if timeless not in self._numbers:
            self._numbers[timeless] = len(self._runs)
            self._runs.append(timeless)
        return self._numbers[timeless]

    def revised(self, number: int, revision: int) -> int:
        """The number of the same record with another revision."""
        if (number, revision) not in self._revised:
            self._revised[number, revision] = self.number(replace(self._runs[number], revision=revision))
        return self._revised[number, revision]

    def __getitem__(self, number: int) -> Run:
        return self._runs[number]


def _without_times(run: Run) -> Run:
    """The record with every time that it has set to the same moment; which times it has stays visible."""
    return replace(
        run,
        tags=NoTags(),
        created_at=EPOCH,
        status_since=EPOCH,
        check_at=EPOCH,
        started_at=run.started_at and EPOCH,
        ended_at=run.ended_at and EPOCH,
        cancel_requested_at=run.cancel_requested_at and EPOCH,
        compute_stopped_at=run.compute_stopped_at and EPOCH,
        heartbeat_at=run.heartbeat_at and EPOCH,
        progress=run.progress and replace(run.progress, updated_at=EPOCH),
        report=run.report and replace(run.report, reported_at=EPOCH),
        lost_attempts=tuple(
            replace(lost, started_at=lost.started_at and EPOCH, ended_at=EPOCH) for lost in run.lost_attempts
        ),
    )
