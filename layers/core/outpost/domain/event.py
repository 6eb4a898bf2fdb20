"""An event: an immutable fact about a run, written in the same transaction as the change that it tells of."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class EventType(StrEnum):
    """What happened."""

    RUN_ACCEPTED = "run.accepted"
    RUN_RELEASED = "run.released"
    RUN_RUNNING = "run.running"
    RUN_PROGRESS = "run.progress"
    RUN_BUDGET_NEARLY_USED = "run.budget-nearly-used"
    RUN_REPORTED = "run.reported"
    RUN_RELAUNCHED = "run.relaunched"
    RUN_STOPPING = "run.stopping"
    RUN_CANCELLING = "run.cancelling"
    RUN_COMPLETED = "run.completed"
    RUN_FAILED = "run.failed"
    RUN_TIMEOUT = "run.timeout"
    RUN_CANCELLED = "run.cancelled"
    PROMOTION_REQUESTED = "promotion.requested"
    PROMOTION_STARTED = "promotion.started"
    PROMOTION_COMPLETED = "promotion.completed"
    PROMOTION_FAILED = "promotion.failed"
    WORKSPACE_ENDING = "workspace.ending"
    WORKSPACE_EXPIRED = "workspace.expired"
    WORKSPACE_DELETED = "workspace.deleted"
    TENANT_CREATED = "tenant.created"
    TENANT_SUSPENDED = "tenant.suspended"
    TENANT_RESUMED = "tenant.resumed"
    PLAN_CHANGED = "plan.changed"
    KILL_SWITCH_SET = "kill-switch.set"
    KILL_SWITCH_LIFTED = "kill-switch.lifted"
    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    SECRET_CREATED = "secret.created"  # noqa: S105 a kind of event
    SECRET_REPLACED = "secret.replaced"  # noqa: S105 a kind of event
    SECRET_DELETED = "secret.deleted"  # noqa: S105 a kind of event


@dataclass(frozen=True)
class Event:
    """One fact; `event_id` is a ULID, so events sort by time; `details` never holds a secret or a task's text.

    `number` counts the events of one run from 1, without a gap, in the order in which they happened to its record.
    """

    event_id: str
    tenant_id: str
    type: EventType
    at: datetime
    run_id: str | None = None
    details: dict[str, str] = field(default_factory=dict)
    number: int | None = None
