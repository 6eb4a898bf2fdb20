"""The records of runs: made, changed, found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from outpost.domain.admission import Allowance, Form, Usage
from outpost.domain.deployment import Deployment
from outpost.domain.errors import OutpostError, Refusal
from outpost.domain.event import Event
from outpost.domain.report import Artifact
from outpost.domain.run import Run
from outpost.domain.run_error import RunErrorCode
from outpost.domain.tenant import Tenant
from outpost.domain.usage import Reservation
from outpost.ports.promotions import RequestedPromotion


class RunChangedMeanwhile(OutpostError):
    """The record is no longer what the change was decided upon: read it again and decide again."""


class RunExistsAlready(OutpostError):
    """The idempotency key of a new run is in use by the run of another request."""


class SlotRefusal(StrEnum):
    """For whom there is no slot now: for no run at all, for none of the tenant's, for none of the agent's."""

    DEPLOYMENT_IS_CLOSED = "deployment"
    TENANT_IS_CLOSED = "tenant"
    AGENT_IS_BLOCKED = "agent"


class SlotRefused(OutpostError):
    """A waiting run cannot have a slot now."""

    def __init__(self, reason: SlotRefusal) -> None:
        super().__init__(f"no slot: {reason}")
        self.reason = reason


class WorkForbidden(OutpostError):
    """A run may not be worked on: a kill switch is on, or its tenant is suspended."""

    def __init__(self, code: RunErrorCode) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass(frozen=True)
class IdempotencyLock:
    """Ties an idempotency key of a tenant to one request body and its run, until it expires."""

    key: str
    body_sha256: str
    run_id: str
    expires_at: datetime


@dataclass(frozen=True)
class Admission:
    """What has to hold in the moment in which a run is recorded.

    `plan_revision` is that of the plan which the decision was made upon; of workspaces there may be `most_workspaces`.
    """

    key_hash: str
    plan_revision: int
    form: Form
    asked: Reservation
    allowances: tuple[Allowance, ...]
    lock: IdempotencyLock | None = None
    most_workspaces: int | None = None


class NotAdmitted(OutpostError):
    """Something of the admission did not hold, and nothing was written: what was found instead of what was expected.

    What is None was as expected. `usages` goes by the allowance's place; `workspace` is why the run cannot have it.
    """

    def __init__(
        self,
        *,
        key_is_invalid: bool = False,
        lock_is_taken: bool = False,
        tenant: Tenant | None = None,
        deployment: Deployment | None = None,
        usages: Mapping[int, Usage] | None = None,
        workspace: Refusal | None = None,
    ) -> None:
        super().__init__("the admission does not hold")
        self.key_is_invalid = key_is_invalid
        self.lock_is_taken = lock_is_taken
        self.tenant = tenant
        self.deployment = deployment
        self.usages = usages or {}
        self.workspace = workspace


@dataclass(frozen=True)
class RunFilter:
    """Which runs of a tenant a list shows; what is None or empty does not narrow it."""

    status: str | None = None
    agent: str | None = None
    repo: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    parent: str | None = None
    batch: str | None = None
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
        """Record a new run with all that it takes of the limits: a slot or a place in the queue, use, a lock.

        Raises NotAdmitted, TenantSuspended where there is no such tenant.
        """
        ...

    def get(self, tenant_id: str, run_id: str) -> Run | None:
        """The run as it is now (a consistent read)."""
        ...

    def find_lock(self, tenant_id: str, key: str) -> IdempotencyLock | None:
        """The lock of an idempotency key, if there is one."""
        ...

    def save(
        self,
        before: Run,
        after: Run,
        event: Event | None,
        artifacts: Sequence[Artifact] | None = None,
        promotion: RequestedPromotion | None = None,
    ) -> Run:
        """Write a change that was decided upon `before`, and with it what follows from it, all or nothing.

        A slot or a place in the queue is freed or taken, use is settled at the end, and the agent's breaker hears of
        what concerns it. Returns the run as written. Raises RunChangedMeanwhile; SlotRefused where a waiting run was
        to get a slot; WorkForbidden where a run was to be claimed.
        """
        ...

    def page(self, tenant_id: str, wanted: RunFilter, *, before_run_id: str | None, limit: int) -> RunPage:
        """Runs older than `before_run_id` (or the newest), newest first; empty only when there are no more."""
        ...

    def at_work(self, tenant_id: str, now: datetime) -> tuple[str, ...]:
        """The ids of the tenant's runs that are PENDING or RUNNING."""
        ...

    def artifacts(self, tenant_id: str, run_id: str, attempt: int) -> tuple[Artifact, ...]:
        """The files that the runner of the attempt stored."""
        ...

    def due(self, shard: str, at: datetime, limit: int) -> tuple[tuple[str, str], ...]:
        """(tenant id, run id) of runs that are not terminal and due for a look; may lag behind."""
        ...


class Events(Protocol):
    """The events of runs."""

    def of_run(self, tenant_id: str, run_id: str, *, after: int, limit: int) -> tuple[Event, ...]:
        """The events whose number is above `after`, in their order and without a gap; may lag behind."""
        ...
