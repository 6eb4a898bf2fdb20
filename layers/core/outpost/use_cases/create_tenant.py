"""Makes a tenant and its first key, at an operator's word."""

from dataclasses import dataclass

from outpost.domain.api_key import ApiKey, Scope
from outpost.domain.errors import FieldError, InputInvalid
from outpost.domain.event import Event, EventType
from outpost.domain.plan import Plan
from outpost.domain.tenant import Tenant, TenantStatus, is_tenant_id
from outpost.ports import Accounts, Clock, Identifiers
from outpost.use_cases.create_key import OPERATOR, KeyWish, key_event, new_key


@dataclass(frozen=True)
class TenantCreated:
    """A tenant, its first key, and that key's secret, which nobody can ask for again."""

    tenant: Tenant
    key: ApiKey
    secret: str


def create_tenant(
    tenant_id: str, name: str, plan: Plan, *, accounts: Accounts, clock: Clock, identifiers: Identifiers
) -> TenantCreated:
    """The new tenant, with a key that carries every scope. Raises InputInvalid, also if the tenant exists."""
    if not is_tenant_id(tenant_id):
        raise InputInvalid((FieldError("tenantId", "must be 2 to 63 lower-case letters, digits and hyphens"),))
    now = clock.now()
    tenant = Tenant(tenant_id, name, TenantStatus.ACTIVE, plan, now)
    made = new_key(tenant_id, OPERATOR, KeyWish("first key", frozenset(Scope)), clock=clock, identifiers=identifiers)
    events = (
        Event(identifiers.new(now), tenant_id, EventType.TENANT_CREATED, now, details={"plan": plan.kind}),
        key_event(made.key, EventType.KEY_CREATED, OPERATOR, clock=clock, identifiers=identifiers),
    )
    if not accounts.create_tenant(tenant, made.key, events):
        raise InputInvalid((FieldError("tenantId", "is the name of a tenant that exists"),))
    return TenantCreated(tenant, made.key, made.secret)
