"""One table from refusals to answers: HTTP status, code, and what the caller does next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil
from typing import Any

from outpost.api.times import time_text
from outpost.domain.errors import (
    AgentUnavailable,
    BatchAlreadyPromoted,
    BatchNotFound,
    BudgetExceeded,
    CallerUnknown,
    ClaimRefused,
    CursorInvalid,
    IdempotencyConflict,
    InputInvalid,
    KeyAlreadyReplaced,
    KeyNotFound,
    KillSwitchOn,
    Limit,
    NotFound,
    NothingToPromote,
    OutpostError,
    PatchNotFound,
    PlanEnded,
    PolicyDenied,
    PromotionNotFound,
    QueueFull,
    QuotaExceeded,
    RateLimited,
    RunAlreadyEnded,
    RunNotEnded,
    ScopeMissing,
    SecretNotFound,
    SecretsFull,
    TenantMismatch,
    TenantNotFound,
    TenantSuspended,
    Unavailable,
    WorkNotKept,
    WorkspaceInUse,
    WorkspaceNotFound,
    WorkspacesFull,
)


class BodyMalformed(OutpostError):
    """The body is not JSON."""


class BodyTooLarge(OutpostError):
    """The body is larger than any request of this API."""


class MediaTypeUnsupported(OutpostError):
    """The body is not sent as application/json."""


class RouteUnknown(OutpostError):
    """No such path."""


class MethodUnknown(OutpostError):
    """The path exists, and not with this method."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__("this path does not have this method")
        self.allowed = allowed


@dataclass(frozen=True)
class Answer:
    """What a caller is told of a refusal."""

    status: int
    code: str
    message: str
    remedy: str
    retryable: bool = False
    details: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


TRIAL_EXPIRED = "TRIAL_EXPIRED"
RETRY_AFTER_SECONDS = "2"
_RETRY = {"Retry-After": RETRY_AFTER_SECONDS}

# From the special to the general: the first class that fits gives the answer.
_TABLE: tuple[tuple[type[OutpostError], Answer], ...] = (
    (InputInvalid, Answer(400, "VALIDATION_ERROR", "Some fields are wrong.", "Correct the fields in details.errors and send the request again.")),
    (BodyMalformed, Answer(400, "MALFORMED_JSON", "The body is not valid JSON.", "Send a JSON object as the body.")),
    (CursorInvalid, Answer(400, "INVALID_CURSOR", "The cursor is not valid here.", "Begin again without a cursor, and keep the filter the same from page to page.")),
    (CallerUnknown, Answer(401, "AUTHENTICATION_ERROR", "The credential is missing or not valid.", "Send a valid API key as Authorization: Bearer <key>.", headers={"WWW-Authenticate": "Bearer"})),
    (ScopeMissing, Answer(403, "AUTHORIZATION_ERROR", "The key does not carry the scope that this needs.", "Use a key with the scope in details.scope.")),
    (PlanEnded, Answer(402, "SUBSCRIPTION_EXPIRED", "The tenant's plan has ended.", "Ask the operator of this deployment for another plan; what runs goes on, and can be read and cancelled.")),
    (TenantMismatch, Answer(403, "TENANT_MISMATCH", "X-Tenant-ID names another tenant than the key.", "Leave X-Tenant-ID out, or send the key's own tenant.")),
    (TenantSuspended, Answer(403, "TENANT_SUSPENDED", "The tenant is suspended.", "Ask the operator of this deployment to resume the tenant.")),
    (PolicyDenied, Answer(403, "POLICY_DENIED", "The plan or the key does not allow this.", "Change the field in details.field, or ask the operator for another plan.")),
    (KillSwitchOn, Answer(403, "KILL_SWITCH_ON", "A kill switch is on: no work begins.", "Ask an administrator of the tenant to lift it: GET /kill-switch shows it.")),
    (PatchNotFound, Answer(404, "NOT_FOUND", "The run has no patch.", "Wait for the run to collect its work; a run that changed nothing has no patch.")),
    (KeyNotFound, Answer(404, "NOT_FOUND", "There is no such key.", "Check the id; GET /keys lists the keys of your tenant.")),
    (SecretNotFound, Answer(404, "NOT_FOUND", "There is no such secret.", "Check the name; GET /secrets lists the secrets of your tenant.")),
    (WorkspaceNotFound, Answer(404, "NOT_FOUND", "There is no such workspace.", "Check the id; GET /workspaces lists the workspaces of your tenant.")),
    (PromotionNotFound, Answer(404, "NOT_FOUND", "The run has not been promoted.", "Promote it with POST /runs/{id}/promote.")),
    (BatchNotFound, Answer(404, "NOT_FOUND", "There is no such batch.", "Check the id; POST /batches answered with it.")),
    (TenantNotFound, Answer(404, "NOT_FOUND", "There is no such tenant.", "Check the id; list-tenants lists them.")),
    (NotFound, Answer(404, "NOT_FOUND", "There is no such run.", "Check the id; GET /runs lists the runs of your tenant.")),
    (RouteUnknown, Answer(404, "NOT_FOUND", "There is no such route.", "Compare the path with the API's documentation.")),
    (MethodUnknown, Answer(405, "METHOD_NOT_ALLOWED", "This path does not have this method.", "Use a method that the Allow header names.")),
    (RunAlreadyEnded, Answer(409, "CONFLICT", "The run has already ended.", "Nothing to do: details.status says how it ended.")),
    (RunNotEnded, Answer(409, "CONFLICT", "The run has not ended yet.", "Wait for its end, or cancel it; details.status says where it is.")),
    (WorkNotKept, Answer(409, "CONFLICT", "What the run left is not there to go on from.", "Dispatch a new run; results are kept for 90 days.")),
    (BatchAlreadyPromoted, Answer(409, "CONFLICT", "Another run of the batch was promoted.", "Look at the promotion of the run in details.runId, or promote this one with POST /runs/{id}/promote.")),
    (NothingToPromote, Answer(409, "CONFLICT", "The run has nothing to promote.", "Promote a run that changed files of a repository; details.reason says what is missing.")),
    (WorkspaceInUse, Answer(409, "CONFLICT", "Another run has the workspace.", "Wait for the run in details.runId to end, or cancel it.")),
    (KeyAlreadyReplaced, Answer(409, "CONFLICT", "The key has been replaced already, or has ended.", "Rotate its successor, or create a new key; details.status says what became of it.")),
    (IdempotencyConflict, Answer(409, "IDEMPOTENCY_CONFLICT", "The idempotency key was used for another request.", "Use a new idempotency key for a new request.")),
    (ClaimRefused, Answer(409, "CONFLICT", "The run is not this runner's to work on.", "Stop: the run is over, or another runner's.")),
    (BodyTooLarge, Answer(413, "PAYLOAD_TOO_LARGE", "The request body is too large.", "Send a smaller body.")),
    (MediaTypeUnsupported, Answer(415, "UNSUPPORTED_MEDIA_TYPE", "The body has to be JSON.", "Send Content-Type: application/json.")),
    (QueueFull, Answer(429, "QUEUE_FULL", "As many runs wait as the plan allows.", "Wait until runs end, or ask the operator for a longer queue.", retryable=True, headers={"Retry-After": "15"})),
    (BudgetExceeded, Answer(429, "BUDGET_EXCEEDED", "What the run may cost does not fit into what is left of the budget.", "Ask for a shorter timeoutSeconds, wait for details.resetsAt, or ask for a larger budget.", headers={"Retry-After": "3600"})),
    (SecretsFull, Answer(429, "QUOTA_EXCEEDED", "The tenant has as many secrets as it may have.", "Delete one that is not needed any more: GET /secrets lists them.", headers={"Retry-After": "3600"})),
    (WorkspacesFull, Answer(429, "QUOTA_EXCEEDED", "The tenant has as many persistent workspaces as its plan allows.", "Delete one that is not needed any more: GET /workspaces lists them.", headers={"Retry-After": "3600"})),
    (QuotaExceeded, Answer(429, "QUOTA_EXCEEDED", "A limit of the tenant's plan is used up.", "Wait for details.resetsAt, or ask the operator for a larger limit.", headers={"Retry-After": "3600"})),
    (RateLimited, Answer(429, "RATE_LIMITED", "The key has made too many requests in this minute.", "Wait for the seconds in Retry-After and send it again.", retryable=True)),
    (AgentUnavailable, Answer(503, "AGENT_UNAVAILABLE", "The agent cannot be launched in this deployment now.", "Choose an agent that GET /fleet shows as available.", headers={"Retry-After": "300"})),
    (Unavailable, Answer(503, "SERVICE_UNAVAILABLE", "A part of the service did not answer in time.", "Wait for the seconds in Retry-After and send the request again.", retryable=True, headers=_RETRY)),
)  # fmt: skip

DEFECT = Answer(
    500,
    "INTERNAL_ERROR",
    "Something went wrong that is not your doing.",
    "Send the request again; if it repeats, tell the operator the requestId.",
    retryable=True,
)


def codes_by_status() -> dict[int, tuple[str, ...]]:
    """Every code that a caller can meet, by its HTTP status."""
    pairs = [(answer.status, answer.code) for _, answer in _TABLE] + [(402, TRIAL_EXPIRED), (500, DEFECT.code)]
    found: dict[int, tuple[str, ...]] = {}
    for status, code in pairs:
        found[status] = tuple(dict.fromkeys((*found.get(status, ()), code)))
    return found


def answer_for(error: OutpostError, now: datetime) -> Answer:
    """The answer of a refusal, with the details that belong to it."""
    found = next((answer for kind, answer in _TABLE if isinstance(error, kind)), DEFECT)
    details = _details(error)
    headers = dict(found.headers)
    match error:
        case MethodUnknown(allowed=allowed):
            headers["Allow"] = ", ".join(allowed)
        case QuotaExceeded(limit=Limit(resets_at=datetime() as resets_at)):
            headers["Retry-After"] = str(max(1, ceil((resets_at - now).total_seconds())))
        case AgentUnavailable(retry_after_seconds=int(seconds)):
            headers["Retry-After"] = str(seconds)
            found = replace(found, retryable=True)
        case KillSwitchOn(reason=None):
            found = replace(
                found,
                message="The operator has stopped this deployment: no work begins.",
                remedy="Wait, and ask the operator of this deployment; GET /health/fleet shows when it goes on.",
            )
        case PlanEnded(is_trial=True):
            found = replace(found, code=TRIAL_EXPIRED, message="The tenant's trial has ended.")
        case _:
            pass
    return replace(found, details=details, headers=headers)


def _details(error: OutpostError) -> Mapping[str, object] | None:
    return next((details(error) for kind, details in _DETAILS.items() if isinstance(error, kind)), None)


def _limit_details(error: Any) -> Mapping[str, object]:
    limit: Limit = error.limit
    return {
        "dimension": limit.dimension,
        "limit": limit.limit,
        "used": limit.used,
        "resetsAt": time_text(limit.resets_at),
    }


def _switch_details(error: Any) -> Mapping[str, object]:
    return {"scope": "deployment" if error.reason is None else "tenant", "reason": error.reason}


_DETAILS: Mapping[type[OutpostError], Callable[[Any], Mapping[str, object]]] = {
    InputInvalid: lambda e: {"errors": [{"path": wrong.path, "message": wrong.message} for wrong in e.errors]},
    ScopeMissing: lambda e: {"scope": e.scope},
    RunAlreadyEnded: lambda e: {"status": e.status},
    RunNotEnded: lambda e: {"status": e.status},
    ClaimRefused: lambda e: {"status": e.status},
    WorkspaceInUse: lambda e: {"runId": e.run_id},
    BatchAlreadyPromoted: lambda e: {"runId": e.run_id},
    WorkNotKept: lambda e: {"reason": str(e)},
    NothingToPromote: lambda e: {"reason": str(e)},
    QuotaExceeded: _limit_details,
    PolicyDenied: lambda e: {"field": e.field, "reason": str(e)},
    PlanEnded: lambda e: {"endedAt": time_text(e.ended_at)},
    KillSwitchOn: _switch_details,
    KeyAlreadyReplaced: lambda e: {"status": e.reason},
}
