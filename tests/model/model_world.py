"""What a state of the model is: the record, the execution, the tasks with their runners, and what is under way."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from outpost.domain.run import Run

EPOCH = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
TENANT, RUN_ID = "acme", "01Q3ENHRG0ABCDEFGHJKMNPQRS"
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
    """Where the machine is: launch, watch, finish, wait, relaunch; `ended_at` is where a redrive would go on."""

    status: str = ""
    at: str = ""
    attempt: int = 0
    watched: int = NOBODY
    error: str = ""
    ended_at: str = ""


class Torn(NamedTuple):
    """A use case that has been interrupted between two of its calls: what it was asked, and the answers so far."""

    operation: tuple[object, ...]
    begun: tuple[str, int]
    journal: tuple[object, ...]
    is_machine: bool


class World(NamedTuple):
    """One state. `run` is the number of an interned record; events need no place here, see `model_actions`."""

    run: int = NO_RUN
    slots: int = 0
    runs_made: int = 0
    execution: Execution = Execution()
    tasks: tuple[Task, ...] = ()
    executions_told: tuple[str, ...] = ()
    stop_under_way: int = NOBODY
    torn: Torn | None = None
    torn_left: int = 0
    faults_left: int = 0


@dataclass(frozen=True)
class Bounds:
    """How far a search goes; `only` keeps it to the steps whose names begin so."""

    depth: int
    faults: int
    torn: int = 0
    launches: int = 4
    only: frozenset[str] = frozenset({""})
    claims_without_arn: bool = False


class NoTags(dict[str, str]):
    """No tags, hashable, so that records are."""

    def __hash__(self) -> int:  # type: ignore[override]
        return 0


class Records:
    """Every record met, by number: states stay small, and equal records are one."""

    def __init__(self) -> None:
        self._numbers: dict[Run, int] = {}
        self._runs: list[Run] = []

    def number(self, run: Run) -> int:
        """The number of the record, its times taken out: the model keeps ages, not times."""
        timeless = _without_times(run)
        if timeless not in self._numbers:
            self._numbers[timeless] = len(self._runs)
            self._runs.append(timeless)
        return self._numbers[timeless]

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
