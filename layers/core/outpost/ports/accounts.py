"""Tenants and their keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from outpost.domain.admission import Allowance, Usage
from outpost.domain.api_key import ApiKey
from outpost.domain.event import Event
from outpost.domain.plan import Plan
from outpost.domain.tenant import Tenant


@dataclass(frozen=True)
class Terms:
    """A copy of a tenant's plan, and the revision that it is a copy of: good enough to decide upon, and then proved."""

    plan: Plan
    plan_revision: int


@dataclass(frozen=True)
class RateAllowance:
    """How many requests a key may still make until the minute ends, as far as this process knows."""

    limit: int
    remaining: int
    resets_at: datetime
    is_exceeded: bool = False


@dataclass(frozen=True)
class KeyUse:
    """One use of a key: the key, the copy of its tenant's plan that it carries, and what is left of its rate.

    `is_fresh` is False where the key was remembered.
    """

    key: ApiKey
    terms: Terms
    rate: RateAllowance
    is_fresh: bool


@dataclass(frozen=True)
class KeyPage:
    """A page of keys, newest first; `last_key_id` is where the next page goes on, None at the end."""

    keys: tuple[ApiKey, ...]
    last_key_id: str | None


class ApiKeys(Protocol):
    """The stored keys, for whoever calls with one."""

    def use(self, key_hash: str, now: datetime) -> KeyUse | None:
        """Count one request of the key; None where there is no such key.

        A key may be remembered for the rest of a minute: whoever lets something happen proves it, by `confirm` or
        within the transaction of what happens.
        """
        ...

    def confirm(self, use: KeyUse) -> tuple[ApiKey, Tenant] | None:
        """The key and its tenant as they are now (a consistent read); None where either is gone."""
        ...

    def find(self, key: ApiKey) -> tuple[ApiKey, Tenant] | None:
        """The same, for a key however it is known."""
        ...

    def forget(self, key_hash: str) -> None:
        """Remember the key no longer: it was found to be changed."""
        ...


class Keyring(Protocol):
    """The keys of a tenant, for whoever manages them."""

    def get(self, tenant_id: str, key_id: str) -> ApiKey | None:
        """A key of the tenant as it is now."""
        ...

    def page(self, tenant_id: str, *, before_key_id: str | None, limit: int) -> KeyPage:
        """Keys of the tenant older than `before_key_id` (or the newest), newest first."""
        ...

    def create(self, key: ApiKey, event: Event) -> None:
        """Record a new key. Raises TenantSuspended where its tenant is, or is not there."""
        ...

    def rotate(self, before: ApiKey, after: ApiKey, successor: ApiKey, event: Event) -> bool:
        """Record a key's successor and the end of its grace; False, and nothing written, if the key has changed."""
        ...

    def revoke(self, before: ApiKey, after: ApiKey, event: Event) -> bool:
        """Record a key's end, in its grace too; False, and nothing written, if the key was revoked before."""
        ...


class Accounts(Protocol):
    """Tenants, as operators and their own administrators set them up."""

    def create_tenant(self, tenant: Tenant, key: ApiKey, events: Sequence[Event]) -> bool:
        """Record a tenant and its first key; False, and nothing written, if the tenant exists."""
        ...

    def get(self, tenant_id: str) -> Tenant | None:
        """The tenant as it is now (a consistent read)."""
        ...

    def page(self, *, after_tenant_id: str | None, limit: int) -> tuple[tuple[Tenant, ...], str | None]:
        """Tenants in an order that stays the same, and the one after which the next page goes on."""
        ...

    def change(self, before: Tenant, after: Tenant, event: Event) -> bool:
        """Record a change; False, and nothing written, if the tenant's status or plan is another meanwhile."""
        ...

    def refresh_copies(self, tenant: Tenant) -> None:
        """Give the tenant's keys its plan, as far as that succeeds now."""
        ...

    def usage(self, tenant_id: str, allowance: Allowance) -> Usage:
        """What was counted against the allowance."""
        ...
