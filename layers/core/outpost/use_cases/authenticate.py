"""Who is calling, by the API key that came with the request."""

from outpost.domain.api_key import Caller, Scope, hash_secret, looks_like_secret
from outpost.domain.errors import CallerUnknown, ScopeMissing, TenantMismatch
from outpost.ports import ApiKeys, Clock


def authenticate(
    secret: str | None, *, scope: Scope | None, claimed_tenant_id: str | None, api_keys: ApiKeys, clock: Clock
) -> Caller:
    """The caller, if its key is valid and carries the scope.

    Raises CallerUnknown, TenantMismatch, ScopeMissing.
    """
    if secret is None or not looks_like_secret(secret):
        raise CallerUnknown("missing or malformed")
    key = api_keys.find(hash_secret(secret))
    if key is None:
        raise CallerUnknown("unknown")
    reason = key.refusal(clock.now())
    if reason is not None:
        raise CallerUnknown(reason)
    if claimed_tenant_id is not None and claimed_tenant_id != key.tenant_id:
        raise TenantMismatch(claimed_tenant_id)
    if scope is not None and scope not in key.scopes:
        raise ScopeMissing(scope)
    return Caller(key.tenant_id, key.key_id, key.key_hash, key.scopes)
