"""Every refusal of the product, without a word of HTTP.

OutpostError
├── Refusal                      the caller can do something about it
│   ├── InputInvalid             fields that are wrong, all of them at once
│   ├── CursorInvalid
│   ├── CallerUnknown            missing, unknown, revoked or expired credential: one message for all
│   ├── ScopeMissing
│   ├── TenantMismatch
│   ├── TenantSuspended
│   ├── PolicyDenied             the plan or the key does not allow it at any time
│   ├── PlanEnded                the trial or the subscription is over
│   ├── KillSwitchOn             of the tenant, or of the deployment
│   ├── NotFound                 RunNotFound, PatchNotFound, KeyNotFound, SecretNotFound, TenantNotFound,
│   │                            WorkspaceNotFound, PromotionNotFound, BatchNotFound: or not theirs
│   ├── RunAlreadyEnded
│   ├── RunNotEnded
│   ├── WorkNotKept              what a run left is not there to go on from
│   ├── WorkspaceInUse           by another run
│   ├── BatchAlreadyPromoted     another run of it
│   ├── NothingToPromote         no patch, or no repository to bring it to
│   ├── KeyAlreadyReplaced       or revoked, or expired
│   ├── IdempotencyConflict
│   ├── QuotaExceeded            BudgetExceeded, QueueFull, SecretsFull, WorkspacesFull: used up
│   ├── RateLimited
│   ├── AgentUnavailable
│   └── ClaimRefused             what a runner is told when its run is not (or no longer) its own
└── Unavailable                  passing trouble: the same call may succeed later
"""

from dataclasses import dataclass
from datetime import datetime


class OutpostError(Exception):
    """The root of all that this package raises by intent."""


class Refusal(OutpostError):
    """The request cannot be granted as it stands."""


class Unavailable(OutpostError):
    """A dependency did not answer in time; nothing is known to be wrong with the request."""


@dataclass(frozen=True)
class FieldError:
    """One wrong field: where it is and what is wrong with it."""

    path: str
    message: str


class InputInvalid(Refusal):
    """One or more fields are wrong."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.path}: {error.message}" for error in errors))
        self.errors = errors


class CursorInvalid(Refusal):
    """The cursor was not made by this API for this tenant and filter."""


class CallerUnknown(Refusal):
    """No credential, or one that is unknown, revoked or expired; `reason` is for the log only."""

    def __init__(self, reason: str) -> None:
        super().__init__("the credential is missing or not valid")
        self.reason = reason


class ScopeMissing(Refusal):
    """The credential is valid and does not carry the scope."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"the credential does not carry the scope {scope}")
        self.scope = scope


class TenantMismatch(Refusal):
    """X-Tenant-ID names another tenant than the credential."""


class TenantSuspended(Refusal):
    """The operator has suspended the tenant."""


class PolicyDenied(Refusal):
    """The plan, or the key's own restriction, does not allow the value of a field at any time."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class PlanEnded(Refusal):
    """The tenant's plan is over: no new work, while reads and cancels go on."""

    def __init__(self, *, is_trial: bool, ended_at: datetime) -> None:
        super().__init__("the plan has ended")
        self.is_trial = is_trial
        self.ended_at = ended_at


class KillSwitchOn(Refusal):
    """A kill switch is on; `reason` is the tenant's own word, and None where the whole deployment is stopped."""

    def __init__(self, reason: str | None) -> None:
        super().__init__("a kill switch is on")
        self.reason = reason


class NotFound(Refusal):
    """No such thing, or not the caller's."""


class RunNotFound(NotFound):
    """No such run of this tenant."""


class PatchNotFound(NotFound):
    """The run has no patch, or none yet."""


class KeyNotFound(NotFound):
    """No such key of this tenant."""


class WorkspaceNotFound(NotFound):
    """No such workspace of this tenant."""


class PromotionNotFound(NotFound):
    """The run has not been promoted."""


class BatchNotFound(NotFound):
    """No such batch of this tenant."""


class SecretNotFound(NotFound):
    """No such secret of this tenant."""


class TenantNotFound(NotFound):
    """No such tenant: only operators are told."""


class KeyAlreadyReplaced(Refusal):
    """The key has a successor already, or has ended; `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the key is {reason}")
        self.reason = reason


class RunAlreadyEnded(Refusal):
    """The run has a terminal status, which never changes."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the run has already ended as {status}")
        self.status = status


class RunNotEnded(Refusal):
    """The run is still at work."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the run is {status}")
        self.status = status


class WorkNotKept(Refusal):
    """What the run left behind is not there, or not any more."""


class BatchAlreadyPromoted(Refusal):
    """Another run of the batch was promoted."""

    def __init__(self, run_id: str) -> None:
        super().__init__("another run of the batch was promoted")
        self.run_id = run_id


class NothingToPromote(Refusal):
    """The run has no patch, or worked on no repository that a promotion can go to."""


class WorkspaceInUse(Refusal):
    """Another run has the workspace."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"the run {run_id} has the workspace")
        self.run_id = run_id


class IdempotencyConflict(Refusal):
    """The idempotency key was used for another request body."""


@dataclass(frozen=True)
class Limit:
    """A limit that was reached: its dimension, bound, use with what is reserved, and when the counting begins anew."""

    dimension: str
    limit: float
    used: float
    resets_at: datetime | None = None


class QuotaExceeded(Refusal):
    """A limit of the tenant's plan is reached."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(f"{limit.dimension}: {limit.used} of {limit.limit} are in use")
        self.limit = limit


class BudgetExceeded(QuotaExceeded):
    """What the run may cost does not fit into what is left of a budget."""


class QueueFull(QuotaExceeded):
    """As many runs wait as may wait."""


class SecretsFull(QuotaExceeded):
    """The tenant has as many secrets as a tenant may have."""


class WorkspacesFull(QuotaExceeded):
    """The tenant has as many persistent workspaces as its plan allows."""


class RateLimited(Refusal):
    """The key has made as many requests as it may in this minute."""


class AgentUnavailable(Refusal):
    """The agent is in the catalogue and cannot be launched now; after `retry_after_seconds` it is tried again."""

    def __init__(self, agent: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(f"{agent} cannot be launched")
        self.retry_after_seconds = retry_after_seconds


class ClaimRefused(Refusal):
    """The runner's run is not to be run, or is no longer its own; it stops."""

    def __init__(self, message: str, status: str | None = None) -> None:
        super().__init__(message)
        self.status = status
