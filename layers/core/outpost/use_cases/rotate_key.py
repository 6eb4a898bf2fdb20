"""Replaces a key by another of the same kind, and lets the old one live on for a while."""

from dataclasses import replace
from datetime import timedelta

from outpost.domain.api_key import ApiKey, Caller, KeyStatus
from outpost.domain.errors import KeyAlreadyReplaced, KeyNotFound, PolicyDenied, ScopeMissing
from outpost.domain.event import EventType
from outpost.ports import Clock, Identifiers, Keyring
from outpost.use_cases.create_key import KeyMade, KeyWish, key_event, new_key, require_lasting


def rotate_key(
    caller: Caller, key_id: str, grace: timedelta, *, keyring: Keyring, clock: Clock, identifiers: Identifiers
) -> tuple[KeyMade, ApiKey]:
    """The successor, with the old key's name, scopes, restrictions and end; and the old key, which ends with the grace.

    Raises KeyNotFound, KeyAlreadyReplaced, ScopeMissing, PolicyDenied, TenantSuspended.
    """
    old = require_key(caller.tenant_id, key_id, keyring=keyring)
    require_lasting(caller)
    _require_power(caller, old)
    now = clock.now()
    reason = old.refusal(now)
    if reason is not None or old.replaced_by is not None:
        raise KeyAlreadyReplaced(reason or "replaced")
    made = new_key(
        old.tenant_id,
        caller.key_id,
        KeyWish(old.name, old.scopes, None, old.restrictions),
        clock=clock,
        identifiers=identifiers,
    )
    successor = replace(made.key, expires_at=old.expires_at, budget_key_id=old.budget_key_id)
    ends_at = now + grace if old.expires_at is None else min(old.expires_at, now + grace)
    after = replace(old, expires_at=ends_at, replaced_by=successor.key_id)
    event = key_event(old, EventType.KEY_ROTATED, caller.key_id, clock=clock, identifiers=identifiers)
    if not keyring.rotate(old, after, successor, event):
        raise KeyAlreadyReplaced("changed meanwhile")
    return KeyMade(successor, made.secret), after


def require_key(tenant_id: str, key_id: str, *, keyring: Keyring) -> ApiKey:
    """The key of the tenant. Raises KeyNotFound."""
    key = keyring.get(tenant_id, key_id)
    if key is None:
        raise KeyNotFound(key_id)
    return key


def revoke_key(caller: Caller, key_id: str, *, keyring: Keyring, clock: Clock, identifiers: Identifiers) -> ApiKey:
    """The key, revoked: its next request is refused; again changes nothing.

    Raises KeyNotFound, ScopeMissing, PolicyDenied.
    """
    key = require_key(caller.tenant_id, key_id, keyring=keyring)
    _require_power(caller, key)
    if key.status is KeyStatus.REVOKED:
        return key
    revoked = replace(key, status=KeyStatus.REVOKED)
    event = key_event(key, EventType.KEY_REVOKED, caller.key_id, clock=clock, identifiers=identifiers)
    keyring.revoke(key, revoked, event)
    return revoked


def _require_power(caller: Caller, key: ApiKey) -> None:
    """Refuse to change a key that may more, or lives longer, than who asks; each may change itself."""
    if key.key_id == caller.key_id:
        return
    for scope in sorted(key.scopes - caller.scopes):
        raise ScopeMissing(scope)
    if caller.key.restrictions.exist:
        raise PolicyDenied("Authorization", "a restricted key changes no other key than itself")
    end = caller.key.expires_at
    if end is not None and (key.expires_at is None or key.expires_at > end):
        raise PolicyDenied("Authorization", "a key changes no key that outlives it")
