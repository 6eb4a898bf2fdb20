"""The ports in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from builders import NOON
from fake_runs import InMemoryRuns

from outpost.domain.api_key import ApiKey
from outpost.domain.errors import CursorInvalid, Unavailable
from outpost.domain.outcome import TaskState
from outpost.domain.report import Artifact
from outpost.domain.run import Run
from outpost.domain.tenant import Tenant
from outpost.domain.workspace import Snapshot
from outpost.ports import (
    AliveTasks,
    ExecutionStatus,
    KeyUse,
    LogLine,
    LogPage,
    PresignedUrl,
    RateAllowance,
    Terms,
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
class InMemoryApiKeys:
    """Keys beside the runs in memory, never remembered; `uses` counts the look-ups."""

    runs: InMemoryRuns
    limit: int = 600
    uses: int = 0

    def use(self, key_hash: str, now: datetime) -> KeyUse | None:
        self.uses += 1
        key = self.runs.keys.get(key_hash)
        tenant = self.runs.tenants.get(key.tenant_id) if key else None
        if key is None or tenant is None:
            return None
        rate = RateAllowance(self.limit, max(0, self.limit - self.uses), now, is_exceeded=self.uses > self.limit)
        return KeyUse(key, Terms(tenant.plan, tenant.plan_revision), rate, is_fresh=True)

    def confirm(self, use: KeyUse) -> tuple[ApiKey, Tenant] | None:
        return self.find(use.key)

    def find(self, key: ApiKey) -> tuple[ApiKey, Tenant] | None:
        found, tenant = self.runs.keys.get(key.key_hash), self.runs.tenants.get(key.tenant_id)
        return (found, tenant) if found is not None and tenant is not None else None

    def forget(self, key_hash: str) -> None:
        """Nothing is remembered."""


@dataclass
class RecordingExecutions:
    """Executions that are only remembered; `is_down` makes every call fail."""

    started: dict[str, str] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, ExecutionStatus] = field(default_factory=dict)
    released: dict[str, str] = field(default_factory=dict)
    is_down: bool = False

    def release(self, wait_token: str, bootstrap_token: str) -> None:
        self._fail_if_down()
        self.released[wait_token] = bootstrap_token

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
    deleted: list[Snapshot] = field(default_factory=list)

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

    def presign_snapshot_download(
        self, tenant_id: str, workspace_id: str, snapshot: Snapshot, *, at: datetime
    ) -> PresignedUrl:
        return PresignedUrl(f"https://bucket.example.com/{workspace_id}/{snapshot.run_id}", at)

    def presign_snapshot_upload(
        self, tenant_id: str, workspace_id: str, snapshot: Snapshot, *, at: datetime
    ) -> PresignedUrl:
        return PresignedUrl(f"https://bucket.example.com/{workspace_id}/{snapshot.run_id}", at, {"Content-Length": "1"})

    def delete_snapshot(self, tenant_id: str, workspace_id: str, snapshot: Snapshot) -> None:
        self.deleted.append(snapshot)

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


@dataclass
class InMemoryAgentLogs:
    """A log for each task, with CloudWatch's habits: none before the first line, tokens that are good for one log only.

    A page has at most `most_lines`, which may be none before the end.
    """

    logs: dict[str, list[LogLine]] = field(default_factory=dict)
    most_lines: Callable[[], int] = lambda: 10_000
    tokens_expired: int = 0

    def write(self, task_arn: str, line: LogLine) -> None:
        """Add a line to the task's log."""
        self.logs.setdefault(task_arn, []).append(line)

    def expire_tokens(self) -> None:
        """What a day does to every token that was given out."""
        self.tokens_expired += 1

    def page(self, agent: str, task_arn: str, *, token: str | None, limit: int) -> LogPage:
        log = self.logs.get(task_arn)
        if log is None:
            return LogPage((), token, is_end=True)
        begin, empty_pages = self._place_of(task_arn, token)
        if token is not None and begin == len(log):
            return LogPage((), token, is_end=True)
        lines = tuple(log[begin:][: min(limit, self.most_lines())])
        counts = begin + len(lines), 0 if lines else empty_pages + 1
        return LogPage(lines, "|".join(map(str, (task_arn, *counts, self.tokens_expired))), is_end=False)

    def tail(self, agent: str, task_arn: str, *, limit: int) -> tuple[LogLine, ...]:
        return tuple(self.logs.get(task_arn, ())[-limit:])

    def _place_of(self, task_arn: str, token: str | None) -> tuple[int, int]:
        if token is None:
            return 0, 0
        owner, begin, empty_pages, tokens_expired = token.split("|")
        if (owner, int(tokens_expired)) != (task_arn, self.tokens_expired):
            raise CursorInvalid
        return int(begin), int(empty_pages)


class FixedSigningKey:
    """A signing key that is known."""

    def value(self) -> bytes:
        return b"a signing key"
