"""A tenant: who it is and how much it may have at work."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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

    `active_runs` counts its runs that are PENDING, RUNNING or CANCELLING, `slot_changes` how often that has changed.
    """

    tenant_id: str
    name: str
    status: TenantStatus
    concurrent_limit: int
    active_runs: int
    created_at: datetime
    slot_changes: int = 0
