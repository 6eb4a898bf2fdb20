"""A promotion: a run's patch becomes a branch and a pull request, by a task of its own that no agent is in.

            its task claims it         the task's report
PENDING ───────────────────► RUNNING ────────────────────► COMPLETED FAILED
   └──────── the task ended, or never began ──────────────────────────► FAILED ──► PENDING, asked for again
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from outpost.domain.errors import ClaimRefused

# Above what the machine lets the task take: its own word comes first.
CHECK_AFTER = timedelta(minutes=2)
TASK_SECONDS = 600
# When a task that has claimed can tell nothing any more: after its own time, and what it takes to be stopped.
SILENT_AFTER = timedelta(seconds=TASK_SECONDS) + CHECK_AFTER
# The branch of a run that names none.
BRANCH_PREFIX = "outpost/"
PROMOTION_SHARD = "PROMOTION#0"


class PromotionStatus(StrEnum):
    """Where a promotion is."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"

    @property
    def is_ended(self) -> bool:
        """Whether nothing happens to it any more by itself."""
        return self in (PromotionStatus.COMPLETED, PromotionStatus.FAILED)


class PromotionErrorCode(StrEnum):
    """Every code that a promotion's error can carry."""

    NOTHING_TO_PROMOTE = "NOTHING_TO_PROMOTE"
    NOT_PROMOTABLE = "NOT_PROMOTABLE"
    PROMOTION_CONFLICT = "PROMOTION_CONFLICT"
    PUSH_REFUSED = "PUSH_REFUSED"
    BRANCH_EXISTS = "BRANCH_EXISTS"
    PULL_REQUEST_FAILED = "PULL_REQUEST_FAILED"
    CLONE_FAILED = "CLONE_FAILED"
    GIT_TOKEN_MISSING = "GIT_TOKEN_MISSING"  # noqa: S105 a code
    PROMOTION_FAILED = "PROMOTION_FAILED"
    PROMOTION_TIMEOUT = "PROMOTION_TIMEOUT"
    POLICY_DENIED = "POLICY_DENIED"
    KILL_SWITCH_ON = "KILL_SWITCH_ON"
    TENANT_SUSPENDED = "TENANT_SUSPENDED"


_REMEDIES = {
    PromotionErrorCode.NOTHING_TO_PROMOTE: ("There is nothing left to do: the base branch has this work.", False),
    PromotionErrorCode.NOT_PROMOTABLE: (
        "Rerun it with `repo` named (as it is called now), which begins at the branch as it is now, and promote that.",
        False,
    ),
    PromotionErrorCode.PROMOTION_CONFLICT: (
        "Look at `conflicts`; rerun it with `repo` named, which begins at the branch as it is now, and promote that.",
        False,
    ),
    PromotionErrorCode.PUSH_REFUSED: (
        "Name another branch, or give the tenant's git token the right to push (`outpost secrets set github`).",
        False,
    ),
    PromotionErrorCode.BRANCH_EXISTS: ("Promote it again with another `branch`.", False),
    PromotionErrorCode.PULL_REQUEST_FAILED: (
        "The branch is there: promote it again, or open the pull request by hand.",
        True,
    ),
    PromotionErrorCode.CLONE_FAILED: ("Check that the repository can be cloned, then promote it again.", True),
    PromotionErrorCode.GIT_TOKEN_MISSING: (
        "Put a git token that may push in place (`outpost secrets set github`), then promote it again.",
        False,
    ),
    PromotionErrorCode.PROMOTION_FAILED: ("Promote it again; if it repeats, ask the operator.", True),
    PromotionErrorCode.PROMOTION_TIMEOUT: ("Promote it again; if it repeats, ask the operator.", True),
    PromotionErrorCode.POLICY_DENIED: ("Ask the operator for a plan that allows the repository.", False),
    PromotionErrorCode.KILL_SWITCH_ON: (
        "Promote it again once the kill switch is off: GET /kill-switch shows it.",
        True,
    ),
    PromotionErrorCode.TENANT_SUSPENDED: ("Ask the operator of this deployment to resume the tenant.", False),
}
MESSAGE_CHARACTERS = 1_000


@dataclass(frozen=True)
class PromotionWish:
    """What is asked for; what is None is made from the run."""

    branch: str | None = None
    title: str | None = None
    body: str | None = None
    draft: bool = False


@dataclass(frozen=True)
class PullRequest:
    """A pull request as its host numbers it; `is_draft` is None where its task did not say."""

    number: int
    url: str
    is_draft: bool | None = None


@dataclass(frozen=True)
class PromotionError:
    """Why nothing, or not everything, was promoted."""

    code: PromotionErrorCode
    message: str
    remedy: str
    retryable: bool

    @classmethod
    def of(cls, code: PromotionErrorCode, message: str) -> Self:
        """The error of a code, with its remedy; the message is cut to 1,000 characters."""
        remedy, retryable = _REMEDIES[code]
        return cls(code, message[:MESSAGE_CHARACTERS], remedy, retryable)


@dataclass(frozen=True)
class Conflict:
    """A file to which the work could not be brought, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class PromotionReport:
    """The promotion task's final word."""

    branch: str | None = None
    base_branch: str | None = None
    commit: str | None = None
    pull_request: PullRequest | None = None
    compare_url: str | None = None
    error: PromotionError | None = None
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True)
class Promotion:
    """The record of a run's promotion: there is one, which may take several attempts."""

    tenant_id: str
    run_id: str
    status: PromotionStatus
    wish: PromotionWish
    api_url: str
    requested_at: datetime
    requested_by: str
    check_at: datetime
    attempt: int = 1
    revision: int = 1
    started_at: datetime | None = None
    claim_id: str | None = None
    task_arn: str | None = None
    ended_at: datetime | None = None
    report: PromotionReport | None = None

    @property
    def branch(self) -> str:
        """Where the work goes."""
        return self.wish.branch or f"{BRANCH_PREFIX}{self.run_id}"

    @property
    def is_draft(self) -> bool:
        """Whether its pull request is a draft; before there is one, whether it is to be."""
        pull = self.report.pull_request if self.report else None
        return self.wish.draft if pull is None or pull.is_draft is None else pull.is_draft

    @property
    def shard(self) -> str | None:
        """Where the sweep finds it until it has ended."""
        return None if self.status.is_ended else PROMOTION_SHARD

    def claimed(self, attempt: int, *, claim_id: str, task_arn: str | None, at: datetime) -> Self:
        """The promotion in its task's hands; the same claim again changes nothing. Raises ClaimRefused."""
        is_repeated = self.status is PromotionStatus.RUNNING and claim_id == self.claim_id
        if attempt != self.attempt or not (is_repeated or self.status is PromotionStatus.PENDING):
            raise ClaimRefused("the promotion is not waiting to be claimed", self.status)
        if is_repeated:
            return self
        return replace(
            self,
            status=PromotionStatus.RUNNING,
            started_at=at,
            claim_id=claim_id,
            task_arn=task_arn,
            check_at=at + CHECK_AFTER,
        )

    def reported(self, attempt: int, report: PromotionReport, at: datetime) -> Self:
        """The promotion at its end, by its task's word; the first stands. Raises ClaimRefused for another attempt."""
        if attempt != self.attempt:
            raise ClaimRefused("this attempt is not the current one", self.status)
        return self._ended(report, at)

    def abandoned(self, attempt: int, error: PromotionError, at: datetime, *, task_arn: str | None = None) -> Self:
        """The promotion at its end, because its task ended without a word; nothing if it has ended, or is another's.

        `task_arn` is the task that has ended, where that is known. A launch may have made two, when its answer was
        lost: the one that has the claim is given all of its time, unless it is known to be the one that has ended.
        """
        is_anothers = self.task_arn is None or task_arn != self.task_arn
        may_yet_tell = self.started_at is not None and is_anothers and at < self.started_at + SILENT_AFTER
        return self if may_yet_tell else self.given_up(attempt, error, at)

    def given_up(self, attempt: int, error: PromotionError, at: datetime) -> Self:
        """The promotion at its end, whatever its task has to say; nothing if it has ended, or is another's."""
        return self if attempt != self.attempt else self._ended(PromotionReport(error=error), at)

    def asked_again(self, wish: PromotionWish, api_url: str, by: str, at: datetime) -> Self:
        """A failed promotion, to be tried again; any other stays as it is."""
        if self.status is not PromotionStatus.FAILED:
            return self
        return replace(
            self,
            status=PromotionStatus.PENDING,
            wish=wish,
            api_url=api_url,
            requested_at=at,
            requested_by=by,
            check_at=at + CHECK_AFTER,
            attempt=self.attempt + 1,
            started_at=None,
            claim_id=None,
            task_arn=None,
            ended_at=None,
            report=None,
        )

    def checked(self, at: datetime) -> Self:
        """The promotion looked at by the sweep, and due again later."""
        return self if self.status.is_ended else replace(self, check_at=at + CHECK_AFTER)

    def _ended(self, report: PromotionReport, at: datetime) -> Self:
        if self.status.is_ended:
            return self
        status = PromotionStatus.COMPLETED if report.error is None else PromotionStatus.FAILED
        return replace(self, status=status, report=report, ended_at=at)


def code_of_promotion_report(text: str) -> PromotionErrorCode:
    """The code that a task reported; one that this release does not know is a failure without more to say."""
    known = text in list(PromotionErrorCode)
    return PromotionErrorCode(text) if known else PromotionErrorCode.PROMOTION_FAILED


def new_promotion(
    tenant_id: str, run_id: str, wish: PromotionWish, *, api_url: str, by: str, at: datetime
) -> Promotion:
    """A promotion that was asked for now."""
    return Promotion(tenant_id, run_id, PromotionStatus.PENDING, wish, api_url, at, by, check_at=at + CHECK_AFTER)
