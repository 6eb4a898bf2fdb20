"""A run: its statuses, the one table of transitions, and the changes that it can go through.

           slot            claim                  compute stopped
QUEUED ──────────► PENDING ──────────► RUNNING ─────────────────────► COMPLETED FAILED TIMEOUT
   │                  │ cancel            │ cancel
   │                  └──► CANCELLING ◄───┘ ────────────────────────► CANCELLED
   └─ cancel: CANCELLED; waited too long: TIMEOUT; its execution ended: FAILED
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Self
from zlib import crc32

from outpost.domain.errors import ClaimRefused, RunAlreadyEnded
from outpost.domain.money import PRICE_VERSION, SMALLEST_BILLED_SECONDS, price_compute
from outpost.domain.origin import Origin
from outpost.domain.promotion import PromotionWish
from outpost.domain.report import ContextSource, Phase, Progress, Report, Result
from outpost.domain.run_error import RunError, RunErrorCode
from outpost.domain.size import Size
from outpost.domain.usage import ModelBudget, ModelUsage, Reservation
from outpost.domain.workspace import WorkspaceUse

HEARTBEAT_SECONDS = 15
HEARTBEAT_LOST_SECONDS = 60
QUEUE_TIMEOUT_SECONDS = 3_600
START_ALLOWANCE_SECONDS = 600
STOP_GRACE_SECONDS = 120
CHECK_SECONDS = 60
# However many wait, those with compute have their turn.
ACTIVE_SHARDS = tuple(f"ACTIVE#{number}" for number in range(8))
QUEUED_SHARDS = tuple(f"QUEUED#{number}" for number in range(2))
MOST_ATTEMPTS = 3
WAIT_TOKENS = 8
# What every task had before a run's record told it.
UNRECORDED_SIZE = Size(cpu_units=1_024, memory_mb=4_096)
# The bucket's lifecycle rule removes task texts and results after this time.
RESULTS_KEPT = timedelta(days=90)


class RunStatus(StrEnum):
    """Where a run is in its life."""

    QUEUED = "QUEUED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMEOUT = "TIMEOUT"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        """A terminal status never changes."""
        return not TRANSITIONS[self]


class ContextLevel(StrEnum):
    """How much of the repository's own notes an agent is given before its task."""

    OFF = "off"
    MINIMAL = "minimal"
    STANDARD = "standard"
    FULL = "full"


class Priority(StrEnum):
    """Which of a tenant's waiting runs comes first."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Its place in the order: the lower comes first."""
        return list(Priority).index(self)


TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.PENDING, RunStatus.CANCELLED, RunStatus.FAILED, RunStatus.TIMEOUT}),
    RunStatus.PENDING: frozenset(
        {RunStatus.PENDING, RunStatus.RUNNING, RunStatus.CANCELLING, RunStatus.FAILED, RunStatus.TIMEOUT}
    ),
    RunStatus.RUNNING: frozenset(
        {RunStatus.PENDING, RunStatus.CANCELLING, RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.TIMEOUT}
    ),
    RunStatus.CANCELLING: frozenset({RunStatus.CANCELLED}),
    RunStatus.COMPLETED: frozenset(),
    RunStatus.FAILED: frozenset(),
    RunStatus.TIMEOUT: frozenset(),
    RunStatus.CANCELLED: frozenset(),
}


class TransitionForbidden(Exception):
    """The table has no such transition: a defect of this program, never a caller's doing."""


@dataclass(frozen=True)
class Attempt:
    """An attempt that was lost through no fault of the task's, and followed by another."""

    attempt: int
    started_at: datetime | None
    ended_at: datetime
    error: RunError
    usage: ModelUsage | None = None
    has_own_provider_key: bool = False
    task_arn: str | None = None


@dataclass(frozen=True)
class Run:
    """The record of a run: the truth that every GET shows.

    `revision` grows by one with every write, and `events` with every one that is an event.
    """

    tenant_id: str
    run_id: str
    status: RunStatus
    agent: str
    model_id: str
    task: str
    task_in_bucket: bool
    timeout_seconds: int
    created_at: datetime
    status_since: datetime
    check_at: datetime
    created_by: str
    api_url: str
    size: Size = UNRECORDED_SIZE
    attempt: int = 1
    lost_attempts: tuple[Attempt, ...] = ()
    revision: int = 1
    events: int = 0
    repo: str | None = None
    branch: str | None = None
    repo_may_redirect: bool = True
    tags: dict[str, str] = field(default_factory=dict)
    requested_by: str | None = None
    origin: Origin | None = None
    batch_id: str | None = None
    workspace: WorkspaceUse | None = None
    check: str | None = None
    promote: PromotionWish | None = None
    priority: Priority = Priority.NORMAL
    queue_timeout_seconds: int = QUEUE_TIMEOUT_SECONDS
    context: ContextLevel = ContextLevel.STANDARD
    secrets: tuple[str, ...] = ()
    own_secrets_only: bool = False
    budget: ModelBudget = field(default_factory=ModelBudget)
    price_version: str = PRICE_VERSION
    reservation: Reservation | None = None
    wait_tokens: tuple[str, ...] = ()
    released_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    cancel_reason: str | None = None
    compute_started_at: datetime | None = None
    compute_stopped_at: datetime | None = None
    stop_code: RunErrorCode | None = None
    claim_id: str | None = None
    has_own_provider_key: bool = False
    task_arn: str | None = None
    heartbeat_at: datetime | None = None
    progress: Progress | None = None
    usage: ModelUsage | None = None
    budget_nearly_used_at: datetime | None = None
    context_sources: tuple[ContextSource, ...] = ()
    report: Report | None = None
    exit_code: int | None = None
    error: RunError | None = None
    result: Result | None = None

    @property
    def active_shard(self) -> str | None:
        """The shard of the sweep's index that holds the run until it is terminal; those that wait have their own."""
        if self.status.is_terminal:
            return None
        shards = QUEUED_SHARDS if self.is_queued else ACTIVE_SHARDS
        return shards[crc32(self.run_id.encode()) % len(shards)]

    @property
    def holds_slot(self) -> bool:
        """Whether the run counts against its tenant's concurrent runs."""
        return not self.status.is_terminal and not self.is_queued

    @property
    def has_work(self) -> bool:
        """Whether it has ended and left changes of a repository."""
        has_changes = self.result is not None and self.result.files_changed > 0
        return self.status.is_terminal and self.repo is not None and has_changes

    @property
    def is_worth_promoting(self) -> bool:
        """Whether it left work that came to a good end, and that began with a commit."""
        has_base = self.result is not None and self.result.base_sha is not None
        return self.status is RunStatus.COMPLETED and self.has_work and has_base

    @property
    def is_queued(self) -> bool:
        """Whether the run waits for a slot."""
        return self.status is RunStatus.QUEUED

    @property
    def used_seconds(self) -> int:
        """The agent time that counts: from the claim of the last attempt to its end, no more than was reserved."""
        if self.started_at is None or self.reservation is None:
            return 0
        end = self.computed_until(self.started_at)
        return min(self.reservation.seconds, max(0, ceil((end - self.started_at).total_seconds())))

    @property
    def charged_usage(self) -> ModelUsage:
        """What counts as used of its models, as far as its runner has told.

        A lost attempt costs its caller nothing, but for what it used with a key of the tenant's own: that was paid.
        """
        return sum(self._paid_for_lost(), self.usage or ModelUsage())

    @property
    def budget_left(self) -> ModelBudget:
        """What the present attempt may use of models."""
        return self.budget.without(sum(self._paid_for_lost(), ModelUsage()))

    def _paid_for_lost(self) -> list[ModelUsage]:
        return [lost.usage for lost in self.lost_attempts if lost.has_own_provider_key and lost.usage is not None]

    @property
    def model_cost_microusd(self) -> int:
        """What its models have cost."""
        return self.charged_usage.cost_microusd

    def compute_cost_microusd(self, at: datetime) -> int:
        """What its compute has cost by then; nothing before a runner took it, for no work was done.

        By the task's own times, once ECS has told them: Fargate bills from the image's download to the task's end.
        """
        if self.started_at is None:
            return 0
        begin = self.compute_started_at or self.started_at
        end = self.computed_until(at)
        seconds = max(SMALLEST_BILLED_SECONDS, ceil((end - begin).total_seconds()))
        return price_compute(self.size, seconds)

    def computed_until(self, at: datetime) -> datetime:
        """The end of its compute, or the time given where there is no end yet."""
        return self.compute_stopped_at or self.ended_at or at

    def cost_microusd(self, at: datetime) -> int:
        """What it has cost by then; final once it has ended, an estimate until then."""
        return self.model_cost_microusd + self.compute_cost_microusd(at)

    @property
    def deadline(self) -> datetime | None:
        """When the runner stops the agent, counted from the claim; None before it."""
        return None if self.started_at is None else self.started_at + timedelta(seconds=self.timeout_seconds)

    def task_of(self, attempt: int) -> str | None:
        """The task that the attempt had, as far as it is known."""
        lost = {lost.attempt: lost.task_arn for lost in self.lost_attempts}
        return lost.get(attempt, self.task_arn)

    def has_results(self, at: datetime) -> bool:
        """Whether what the run stored in the bucket can still be there."""
        return at < self.created_at + RESULTS_KEPT

    def becomes(self, status: RunStatus, at: datetime) -> Self:
        """The run in its next status, if the table has that transition."""
        if status not in TRANSITIONS[self.status]:
            raise TransitionForbidden(f"{self.status} to {status}")
        return replace(self, status=status, status_since=at, check_at=at + timedelta(seconds=CHECK_SECONDS))

    def waiting(self, wait_token: str) -> Self:
        """The run with a token by which its execution waits for the slot.

        Where it asked again only one of them is waited with, and the last to be written need not be that one: the last
        few are kept, and all are told.
        """
        if not self.is_queued or wait_token in self.wait_tokens:
            return self
        return replace(self, wait_tokens=(*self.wait_tokens, wait_token)[-WAIT_TOKENS:])

    def released(self, at: datetime) -> Self:
        """The run with a slot; one that has it already, or ended, is left alone."""
        return replace(self.becomes(RunStatus.PENDING, at), released_at=at) if self.is_queued else self

    def claimed(self, *, attempt: int, claim_id: str, task_arn: str | None, at: datetime) -> Self:
        """The run in the hands of a runner; the same claim again changes nothing, any other is refused.

        A runner that cannot say which task it is would be compute whose stop nobody could prove.
        """
        if task_arn is None:
            raise ClaimRefused("the runner does not know its task", self.status)
        if attempt != self.attempt:
            raise ClaimRefused("this attempt is not the current one", self.status)
        if self.status is RunStatus.RUNNING and self.claim_id == claim_id:
            return self
        if self.status is not RunStatus.PENDING or self.stop_code is not None:
            raise ClaimRefused("the run is not waiting to be claimed", self.status)
        return replace(
            self.becomes(RunStatus.RUNNING, at),
            claim_id=claim_id,
            task_arn=task_arn,
            started_at=at,
            heartbeat_at=at,
            progress=Progress(Phase.CLAIMED, None, at),
        )

    def beaten(
        self,
        *,
        attempt: int,
        claim_id: str,
        phase: Phase,
        message: str | None,
        at: datetime,
        usage: ModelUsage | None = None,
    ) -> Self:
        """The run with a fresh sign of life; refused once the run is not (or no longer) this runner's to work on."""
        self.require_claim(attempt, claim_id)
        if self.status is not RunStatus.RUNNING or self.stop_code is not None:
            raise ClaimRefused("the run is to stop", self.status)
        return replace(self, heartbeat_at=at, progress=Progress(phase, message, at), usage=self._with(usage))

    def reported(self, report: Report, *, claim_id: str) -> Self:
        """The run with its runner's report; the first report stands."""
        self.require_claim(report.attempt, claim_id)
        if self.report is not None and self.report.attempt == report.attempt:
            return self
        if self.status.is_terminal:
            raise ClaimRefused("the run has ended", self.status)
        return replace(
            self,
            report=report,
            result=report.result,
            exit_code=report.exit_code,
            usage=self._with(report.usage),
            context_sources=report.context_sources,
        )

    def budget_noted(self, at: datetime) -> Self:
        """The run with the moment in which its budget was found nearly used: the first one stands."""
        if self.status.is_terminal or self.budget_nearly_used_at is not None:
            return self
        if not self.budget.is_nearly_used(self.charged_usage):
            return self
        return replace(self, budget_nearly_used_at=at)

    def _with(self, usage: ModelUsage | None) -> ModelUsage | None:
        return self.usage if usage is None else usage.latest(self.usage)

    def require_claim(self, attempt: int, claim_id: str) -> None:
        """Refuse a runner that does not hold the run's current claim."""
        if attempt != self.attempt or claim_id != self.claim_id:
            raise ClaimRefused("another runner holds the run", self.status)

    def cancel_requested(self, reason: str | None, at: datetime) -> Self:
        """The run on its way to CANCELLED; the first request stands."""
        if self.status.is_terminal:
            raise RunAlreadyEnded(self.status)
        if self.status is RunStatus.CANCELLING:
            return self
        asked = replace(self, cancel_requested_at=at, cancel_reason=reason)
        if self.is_queued:
            return asked.ended(RunStatus.CANCELLED, cancelled_error(reason), at)
        return asked.becomes(RunStatus.CANCELLING, at)

    def ended(self, status: RunStatus, error: RunError | None, at: datetime) -> Self:
        """The run at its end. Whoever calls this knows that the compute has stopped, or that there was none."""
        return replace(self.becomes(status, at), error=error, ended_at=at)

    def stopping(self, code: RunErrorCode, at: datetime) -> Self:
        """The run with the reason why the control plane stops its compute; the first reason stands."""
        if self.status.is_terminal or self.stop_code is not None:
            return self
        return replace(self, stop_code=code, check_at=at + timedelta(seconds=CHECK_SECONDS))

    def relaunched(self, error: RunError, at: datetime) -> Self:
        """The run waiting for its next attempt, with nothing of the lost one but its place in the list."""
        lost = Attempt(self.attempt, self.started_at, at, error, self.usage, self.has_own_provider_key, self.task_arn)
        return replace(
            self.becomes(RunStatus.PENDING, at),
            attempt=self.attempt + 1,
            lost_attempts=(*self.lost_attempts, lost),
            claim_id=None,
            has_own_provider_key=False,
            task_arn=None,
            started_at=None,
            heartbeat_at=None,
            progress=None,
            usage=None,
            budget_nearly_used_at=None,
            context_sources=(),
            report=None,
            result=None,
            exit_code=None,
        )

    def noted(self, task_arn: str) -> Self:
        """The run with the task that was launched for it, as long as no task has claimed it."""
        return replace(self, task_arn=task_arn) if self.task_arn is None and not self.status.is_terminal else self

    def checked(self, at: datetime) -> Self:
        """The run looked at by the sweep, and due again later."""
        return self if self.status.is_terminal else replace(self, check_at=at + timedelta(seconds=CHECK_SECONDS))


def cancelled_error(reason: str | None) -> RunError:
    """What a cancelled run says of itself."""
    return RunError.of(RunErrorCode.CANCELLED_BY_USER, f"Cancelled: {reason or 'no reason given'}")
