"""Makes a tenant and its first key, at an operator's word."""

from dataclasses import dataclass

from outpost.domain.api_key import ApiKey, Scope, make_secret
from outpost.domain.errors import FieldError, InputInvalid
from outpost.domain.event import Event, EventType
from outpost.domain.tenant import Tenant, TenantStatus, is_tenant_id
from outpost.ports import Accounts, Clock, Identifiers


@dataclass(frozen=True)
class TenantCreated:
    """A tenant, its first key, and that key's secret, which nobody can ask for again."""

    tenant: Tenant
    key: ApiKey
    secret: str


def create_tenant(
    tenant_id: str,
    name: str,
    *,
    concurrent_limit: int,
    accounts: Accounts,
    clock: Clock,
    identifiers: Identifiers,
) -> TenantCreated:
    """The new tenant, with a key that carries every scope. Raises InputInvalid, also if the tenant exists."""
    if not is_tenant_id(tenant_id):
        raise InputInvalid((FieldError("tenantId", "must be 2 to 63 lower-case letters, digits and hyphens"),))
    now = clock.now()
    tenant = Tenant(tenant_id, name, TenantStatus.ACTIVE, concurrent_limit, 0, now)
    secret = make_secret()
    key = ApiKey.from_secret(
        secret,
        key_id=identifiers.new(now),
        tenant_id=tenant_id,
        name="first key",
        scopes=frozenset(Scope),
        created_at=now,
    )
    events = (
        Event(identifiers.new(now), tenant_id, EventType.TENANT_CREATED, now),
        Event(identifiers.new(now), tenant_id, EventType.KEY_CREATED, now, details={"keyId": key.key_id}),
    )
    if not accounts.create_tenant(tenant, key, events):
        raise InputInvalid((FieldError("tenantId", "is the name of a tenant that exists"),))
    return TenantCreated(tenant, key, secret)
