"""The ports in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from builders import NOON

from outpost.domain.api_key import ApiKey, KeyStatus
from outpost.domain.errors import CallerUnknown, Limit, QuotaExceeded, TenantSuspended, Unavailable
from outpost.domain.event import Event
from outpost.domain.outcome import TaskState
from outpost.domain.report import Artifact
from outpost.domain.run import Run
from outpost.domain.tenant import Tenant, TenantStatus
from outpost.ports import (
    Admission,
    AliveTasks,
    ExecutionStatus,
    IdempotencyLock,
    LogLine,
    LogPage,
    PresignedUrl,
    RunChangedMeanwhile,
    RunExistsAlready,
    RunFilter,
    RunPage,
)


@dataclass
class SteppedClock:
    """A clock that stands still until it is moved; sleeping moves it."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.move(seconds=seconds)

    def move(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class CountedIdentifiers:
    """ULIDs whose random part counts up."""

    count: int = 0

    def new(self, at: datetime) -> str:
        self.count += 1
        return f"01Q3ENHRG0{self.count:016d}"


@dataclass
class InMemoryRuns:
    """Runs in dictionaries, with the conditions that the tables have."""

    tenants: dict[str, Tenant] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    records: dict[tuple[str, str], Run] = field(default_factory=dict)
    locks: dict[tuple[str, str], IdempotencyLock] = field(default_factory=dict)
    files: dict[tuple[str, str, int], tuple[Artifact, ...]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def create(self, run: Run, event: Event, admission: Admission) -> None:
        lock = admission.lock
        known = self.locks.get((run.tenant_id, lock.key)) if lock else None
        if known is not None and known.expires_at > run.created_at:
            raise RunExistsAlready
        tenant = self.tenants.get(run.tenant_id)
        if tenant is None or tenant.status is not TenantStatus.ACTIVE:
            raise TenantSuspended
        if tenant.active_runs >= tenant.concurrent_limit:
            raise QuotaExceeded(Limit("concurrentRuns", tenant.concurrent_limit, tenant.active_runs))
        key = self.keys.get(admission.caller.key_hash)
        if key is None or key.status is not KeyStatus.ACTIVE:
            raise CallerUnknown("revoked meanwhile")
        if lock is not None:
            self.locks[run.tenant_id, lock.key] = lock
        self._count(run.tenant_id, 1)
        self.records[run.tenant_id, run.run_id] = run
        self.events.append(event)

    def get(self, tenant_id: str, run_id: str) -> Run | None:
        return self.records.get((tenant_id, run_id))

    def find_lock(self, tenant_id: str, key: str) -> IdempotencyLock | None:
        return self.locks.get((tenant_id, key))

    def save(self, before: Run, after: Run, event: Event | None, artifacts: Sequence[Artifact] | None = None) -> Run:
        place = (after.tenant_id, after.run_id)
        if self.records[place].revision != before.revision:
            raise RunChangedMeanwhile(after.run_id)
        written = replace(after, revision=before.revision + 1)
        self.records[place] = written
        self.events.extend([event] if event else [])
        self.files.update({(*place, after.attempt): tuple(artifacts)} if artifacts is not None else {})
        self._count(after.tenant_id, after.holds_slot - before.holds_slot)
        return written

    def page(self, tenant_id: str, wanted: RunFilter, *, before_run_id: str | None, limit: int) -> RunPage:
        found = [run for (owner, _), run in sorted(self.records.items(), reverse=True) if owner == tenant_id]
        found = [run for run in found if before_run_id is None or run.run_id < before_run_id]
        found = [run for run in found if _matches(run, wanted)]
        return RunPage(tuple(found[:limit]), found[limit - 1].run_id if len(found) > limit else None)

    def artifacts(self, tenant_id: str, run_id: str, attempt: int) -> tuple[Artifact, ...]:
        return self.files.get((tenant_id, run_id, attempt), ())

    def due(self, shard: str, at: datetime, limit: int) -> tuple[tuple[str, str], ...]:
        due = [place for place, run in self.records.items() if run.active_shard == shard and run.check_at <= at]
        return tuple(due[:limit])

    def _count(self, tenant_id: str, change: int) -> None:
        tenant = self.tenants.get(tenant_id)
        if tenant is not None:
            self.tenants[tenant_id] = replace(tenant, active_runs=tenant.active_runs + change)


def _matches(run: Run, wanted: RunFilter) -> bool:
    return (
        wanted.status in (None, run.status)
        and wanted.agent in (None, run.agent)
        and wanted.repo in (None, run.repo)
        and wanted.tags.items() <= run.tags.items()
        and (wanted.since is None or run.created_at >= wanted.since)
        and (wanted.until is None or run.created_at < wanted.until)
    )


@dataclass
class InMemorySlots:
    """Counters beside the runs in memory."""

    runs: InMemoryRuns

    def holders(self) -> tuple[str, ...]:
        return tuple(tenant_id for tenant_id, tenant in self.runs.tenants.items() if tenant.active_runs)

    def correct(self, tenant_id: str, now: datetime) -> int:
        tenant = self.runs.tenants[tenant_id]
        counted = sum(run.holds_slot for (owner, _), run in self.runs.records.items() if owner == tenant_id)
        self.runs.tenants[tenant_id] = replace(tenant, active_runs=counted)
        return counted - tenant.active_runs


@dataclass
class InMemoryApiKeys:
    """Keys in a dictionary; `reads` counts the look-ups."""

    keys: dict[str, ApiKey] = field(default_factory=dict)
    reads: int = 0

    def find(self, key_hash: str) -> ApiKey | None:
        self.reads += 1
        return self.keys.get(key_hash)


@dataclass
class RecordingExecutions:
    """Executions that are only remembered; `is_down` makes every call fail."""

    started: dict[str, str] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, ExecutionStatus] = field(default_factory=dict)
    is_down: bool = False

    def start(self, run: Run, bootstrap_token: str) -> None:
        self._fail_if_down()
        self.started[run.run_id] = bootstrap_token
        self.statuses[run.run_id] = ExecutionStatus.RUNNING

    def stop(self, run_id: str, *, error: str, cause: str) -> None:
        self._fail_if_down()
        self.stopped[run_id] = f"{error}: {cause}"

    def status(self, run_id: str) -> ExecutionStatus | None:
        self._fail_if_down()
        return self.statuses.get(run_id)

    def _fail_if_down(self) -> None:
        if self.is_down:
            raise Unavailable("Step Functions")


UNSTOPPABLE = "arn:aws:ecs:us-east-1:123456789012:task/outpost-dev/unstoppable"


@dataclass
class RecordingTasks:
    """Tasks as they are put there; `stopped` remembers whom it was asked to stop."""

    states: dict[str, TaskState] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    is_down: bool = False
    is_complete: bool = True

    def describe(self, task_arn: str) -> TaskState | None:
        return self.states.get(task_arn)

    def stop(self, task_arn: str, reason: str) -> None:
        if self.is_down or task_arn == UNSTOPPABLE:
            raise Unavailable("ECS")
        self.stopped.append(task_arn)

    def alive(self) -> AliveTasks:
        if self.is_down:
            raise Unavailable("ECS")
        return AliveTasks(tuple(s for s in self.states.values() if not s.is_stopped), self.is_complete)


@dataclass
class InMemoryFiles:
    """Task texts in a dictionary."""

    tasks: dict[tuple[str, str], str] = field(default_factory=dict)

    def put_task(self, tenant_id: str, run_id: str, text: str) -> None:
        self.tasks[tenant_id, run_id] = text

    def get_task(self, tenant_id: str, run_id: str) -> str:
        return self.tasks[tenant_id, run_id]

    def read(self, tenant_id: str, run_id: str, artifact: Artifact) -> bytes:
        raise Unavailable(artifact.name)

    def presign_download(
        self, tenant_id: str, run_id: str, artifact: Artifact, *, at: datetime, seconds: int
    ) -> PresignedUrl:
        return PresignedUrl(f"https://bucket.example.com/{artifact.name}", at + timedelta(seconds=seconds))

    def presign_upload(self, tenant_id: str, run_id: str, artifact: Artifact, *, at: datetime) -> PresignedUrl:
        return PresignedUrl(f"https://bucket.example.com/{artifact.name}", at, {"Content-Length": "1"})


@dataclass
class ScriptedAgentLogs:
    """Pages of lines, one a call, then the end; each call takes its time from the clock."""

    clock: SteppedClock
    pages: list[tuple[LogLine, ...]]
    seconds_per_call: float = 0.0
    calls: int = 0

    def page(self, agent: str, task_arn: str, *, token: str | None, limit: int) -> LogPage:
        self.calls += 1
        self.clock.move(seconds=self.seconds_per_call)
        if not self.pages:
            return LogPage((), token, is_end=True)
        return LogPage(self.pages.pop(0), f"token-{self.calls}", is_end=False)


class FixedSigningKey:
    """A signing key that is known."""

    def value(self) -> bytes:
        return b"a signing key"
