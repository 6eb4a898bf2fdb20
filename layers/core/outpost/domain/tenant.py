"""A tenant: who it is, its plan, and how much it has at work and waiting."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outpost.domain.kill_switch import KillSwitch
from outpost.domain.plan import Plan

_SHAPE = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")


class TenantStatus(StrEnum):
    """Whether the tenant is served."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


def is_tenant_id(text: str) -> bool:
    """2 to 63 lower-case letters, digits and hyphens: no character that a key or a path gives a meaning to."""
    return _SHAPE.fullmatch(text) is not None


@dataclass(frozen=True)
class Tenant:
    """A tenant as it is stored.

    `active_runs` counts its runs that are PENDING, RUNNING or CANCELLING, `queued_runs` those that are QUEUED, and
    `slot_changes` how often either has changed. `plan_revision` grows with every change of the plan. `served_at` is
    when a waiting run last got a slot.
    """

    tenant_id: str
    name: str
    status: TenantStatus
    plan: Plan
    created_at: datetime
    plan_revision: int = 1
    suspended_reason: str | None = None
    kill_switch: KillSwitch | None = None
    active_runs: int = 0
    queued_runs: int = 0
    slot_changes: int = 0
    served_at: datetime | None = None

    @property
    def has_room(self) -> bool:
        """Whether another run may be at work."""
        return self.active_runs < self.plan.concurrent_runs

    @property
    def may_start(self) -> bool:
        """Whether a waiting run may be given a slot."""
        return self.has_room and self.status is TenantStatus.ACTIVE and self.kill_switch is None
