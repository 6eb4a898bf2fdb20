"""What the use cases need of the world; the adapters have it on AWS, the tests in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from outpost.domain.api_key import ApiKey, Caller
from outpost.domain.errors import OutpostError
from outpost.domain.event import Event
from outpost.domain.outcome import TaskState
from outpost.domain.report import Artifact
from outpost.domain.run import Run
from outpost.domain.tenant import Tenant


class Clock(Protocol):
    """The time; everything that asks for it asks here."""

    def now(self) -> datetime:
        """The time now, aware, in UTC, cut to milliseconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let that time pass."""
        ...


class Identifiers(Protocol):
    """Fresh names."""

    def new(self, at: datetime) -> str:
        """A ULID of that time: 26 characters that sort by time."""
        ...


class RunChangedMeanwhile(OutpostError):
    """The record is no longer what the change was decided upon: read it again and decide again."""


class RunExistsAlready(OutpostError):
    """The idempotency key of a new run is in use by the run of another request."""


@dataclass(frozen=True)
class IdempotencyLock:
    """Ties an idempotency key of a tenant to one request body and its run, until it expires."""

    key: str
    body_sha256: str
    run_id: str
    expires_at: datetime


@dataclass(frozen=True)
class Admission:
    """What has to hold at the moment in which a run is recorded."""

    caller: Caller
    lock: IdempotencyLock | None = None


@dataclass(frozen=True)
class RunFilter:
    """Which runs of a tenant a list shows; what is None or empty does not narrow it."""

    status: str | None = None
    agent: str | None = None
    repo: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class RunPage:
    """A page of runs, newest first; `last_run_id` is where the next page goes on, None at the end."""

    runs: tuple[Run, ...]
    last_run_id: str | None


class Runs(Protocol):
    """The records of runs, each change with its event in one transaction."""

    def create(self, run: Run, event: Event, admission: Admission) -> None:
        """Record a new run and take a slot.

        Raises RunExistsAlready, QuotaExceeded, TenantSuspended, CallerUnknown.
        """
        ...

    def get(self, tenant_id: str, run_id: str) -> Run | None:
        """The run as it is now (a consistent read)."""
        ...

    def find_lock(self, tenant_id: str, key: str) -> IdempotencyLock | None:
        """The lock of an idempotency key, if there is one."""
        ...

    def save(self, before: Run, after: Run, event: Event | None, artifacts: Sequence[Artifact] | None = None) -> Run:
        """Write a change that was decided upon `before`; frees the slot when the run ends.

        Returns the run as written. Raises RunChangedMeanwhile.
        """
        ...

    def page(self, tenant_id: str, wanted: RunFilter, *, before_run_id: str | None, limit: int) -> RunPage:
        """Runs older than `before_run_id` (or the newest), newest first; empty only when there are no more."""
        ...

    def artifacts(self, tenant_id: str, run_id: str, attempt: int) -> tuple[Artifact, ...]:
        """The files that the runner of the attempt stored."""
        ...

    def due(self, shard: str, at: datetime, limit: int) -> tuple[tuple[str, str], ...]:
        """(tenant id, run id) of runs that are not terminal and due for a look; may lag behind."""
        ...


class ApiKeys(Protocol):
    """The stored keys, by the hash of their secret."""

    def find(self, key_hash: str) -> ApiKey | None:
        """The key as it is now (a consistent read)."""
        ...


class Accounts(Protocol):
    """What operators set up."""

    def create_tenant(self, tenant: Tenant, key: ApiKey, events: Sequence[Event]) -> bool:
        """Record a tenant and its first key; False, and nothing written, if the tenant exists."""
        ...


class Slots(Protocol):
    """The tenants' counters of slots in use."""

    def holders(self) -> tuple[str, ...]:
        """Tenants whose counter is not zero, a bounded number of them."""
        ...

    def correct(self, tenant_id: str, now: datetime) -> int:
        """Set the counter to the number of runs that hold a slot; by how much it was wrong (0: it was right).

        Nothing is written if slots were taken or freed while they were counted.
        """
        ...


class ExecutionStatus(StrEnum):
    """What Step Functions says of an execution."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
    PENDING_REDRIVE = "PENDING_REDRIVE"


class Executions(Protocol):
    """The executions of runs, named by run id."""

    def start(self, run: Run, bootstrap_token: str) -> None:
        """Start the run's execution; again with the same input changes nothing."""
        ...

    def stop(self, run_id: str, *, error: str, cause: str) -> None:
        """Stop the execution, and with it its task; nothing happens if it has ended or never began."""
        ...

    def status(self, run_id: str) -> ExecutionStatus | None:
        """The execution's status, None if it was never started."""
        ...


@dataclass(frozen=True)
class AliveTasks:
    """The tasks of runs that have not been asked to stop; not complete where there were too many to look at."""

    tasks: tuple[TaskState, ...]
    is_complete: bool


class Tasks(Protocol):
    """The ECS tasks of runs."""

    def describe(self, task_arn: str) -> TaskState | None:
        """What ECS says of the task; None once it has forgotten it (about an hour after its stop)."""
        ...

    def stop(self, task_arn: str, reason: str) -> None:
        """Ask for the task's stop; nothing happens if it has stopped."""
        ...

    def alive(self) -> AliveTasks:
        """The tasks of runs in the cluster."""
        ...


@dataclass(frozen=True)
class PresignedUrl:
    """A URL that carries its own permission for a while."""

    url: str
    expires_at: datetime
    headers: dict[str, str] = field(default_factory=dict)


class Files(Protocol):
    """Task texts and results in the bucket."""

    def put_task(self, tenant_id: str, run_id: str, text: str) -> None:
        """Store a task's text."""
        ...

    def get_task(self, tenant_id: str, run_id: str) -> str:
        """The stored text of a task."""
        ...

    def read(self, tenant_id: str, run_id: str, artifact: Artifact) -> bytes:
        """The bytes of a stored file."""
        ...

    def presign_download(
        self, tenant_id: str, run_id: str, artifact: Artifact, *, at: datetime, seconds: int
    ) -> PresignedUrl:
        """Where the file can be fetched, as a download, for that long."""
        ...

    def presign_upload(self, tenant_id: str, run_id: str, artifact: Artifact, *, at: datetime) -> PresignedUrl:
        """Where exactly these bytes can be put, with the headers that must be sent."""
        ...


@dataclass(frozen=True)
class LogLine:
    """One line of a run's output; `stream` is stdout, stderr or runner."""

    timestamp: datetime
    stream: str
    message: str


@dataclass(frozen=True)
class LogPage:
    """Lines, oldest first, and the token from which the next call goes on, whether or not there is more now.

    A page may be empty before the end: only `is_end` says that there is nothing after it now.
    """

    lines: tuple[LogLine, ...]
    next_token: str | None
    is_end: bool


class AgentLogs(Protocol):
    """The output of a run's tasks."""

    def page(self, agent: str, task_arn: str, *, token: str | None, limit: int) -> LogPage:
        """Lines of a task after a token, or from its beginning. Raises CursorInvalid for a token that has expired."""
        ...

    def tail(self, agent: str, task_arn: str, *, limit: int) -> tuple[LogLine, ...]:
        """The last lines of a task."""
        ...


class SigningKey(Protocol):
    """The deployment's signing key."""

    def value(self) -> bytes:
        """The key; read once and kept."""
        ...


class ComponentState(StrEnum):
    """How a part of the control plane is."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Components(Protocol):
    """What the control plane is made of."""

    def states(self) -> dict[str, ComponentState]:
        """Each component's state."""
        ...
