"""Every refusal of the product, without a word of HTTP.

OutpostError
├── Refusal                      the caller can do something about it
│   ├── InputInvalid             fields that are wrong, all of them at once
│   ├── CursorInvalid
│   ├── CallerUnknown            missing, unknown, revoked or expired credential: one message for all
│   ├── ScopeMissing
│   ├── TenantMismatch
│   ├── TenantSuspended
│   ├── NotFound                 RunNotFound, PatchNotFound: also for what is somebody else's
│   ├── RunAlreadyEnded
│   ├── IdempotencyConflict
│   ├── QuotaExceeded
│   ├── AgentUnavailable
│   └── ClaimRefused             what a runner is told when its run is not (or no longer) its own
└── Unavailable                  passing trouble: the same call may succeed later
"""

from dataclasses import dataclass


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


class NotFound(Refusal):
    """No such thing, or not the caller's."""


class RunNotFound(NotFound):
    """No such run of this tenant."""


class PatchNotFound(NotFound):
    """The run has no patch, or none yet."""


class RunAlreadyEnded(Refusal):
    """The run has a terminal status, which never changes."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the run has already ended as {status}")
        self.status = status


class IdempotencyConflict(Refusal):
    """The idempotency key was used for another request body."""


@dataclass(frozen=True)
class Limit:
    """A limit that was reached: its dimension, bound and use, and when it frees (RFC 3339) if that is known."""

    dimension: str
    limit: int
    used: int
    resets_at: str | None = None


class QuotaExceeded(Refusal):
    """A limit of the tenant's plan is reached."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(f"{limit.dimension}: {limit.used} of {limit.limit} are in use")
        self.limit = limit


class AgentUnavailable(Refusal):
    """The agent is in the catalogue and cannot be launched now."""


class ClaimRefused(Refusal):
    """The runner's run is not to be run, or is no longer its own; it stops."""

    def __init__(self, message: str, status: str | None = None) -> None:
        super().__init__(message)
        self.status = status
