"""Keeps a secret of a tenant.

A value and its record lie in two places, so one of them comes first. The value does, both when it is put and when it is
deleted:

    put      value, record      a value without a record is used by nobody; the same call again records it
    delete   value, record      a record without a value counts as none; the same call again removes it

The record is written only where it is what was read before the value was touched. Whoever was overtaken begins again
with the value, so that the last event and the value are of one hand.
"""

from dataclasses import replace

from outpost.domain.api_key import Caller
from outpost.domain.errors import SecretsFull, Unavailable
from outpost.domain.event import Event, EventType
from outpost.domain.secret import MOST_SECRETS, Secret, require_fitting, secrets_full
from outpost.ports import Clock, Identifiers, TenantSecrets, Vault

ATTEMPTS = 5


def put_secret(
    caller: Caller,
    name: str,
    value: str,
    *,
    secrets: TenantSecrets,
    vault: Vault,
    clock: Clock,
    identifiers: Identifiers,
) -> tuple[Secret, bool]:
    """The secret, and whether it is new. Raises InputInvalid, SecretsFull, Unavailable."""
    require_fitting(name, value)
    for _ in range(ATTEMPTS):
        before = secrets.get(caller.tenant_id, name)
        if before is None:
            _require_room(caller.tenant_id, secrets)
        vault.put(caller.tenant_id, name, value)
        after = _next(before, caller, name, clock)
        kind = EventType.SECRET_CREATED if before is None else EventType.SECRET_REPLACED
        try:
            if secrets.record(before, after, secret_event(after, kind, caller, clock, identifiers)):
                return after, before is None
        except SecretsFull:
            # Another took the last place meanwhile: nothing is to be kept that no record tells of.
            vault.delete(caller.tenant_id, name)
            raise
    raise Unavailable("the secret kept changing")


def _require_room(tenant_id: str, secrets: TenantSecrets) -> None:
    used = len(secrets.page(tenant_id, after_name=None, limit=MOST_SECRETS).secrets)
    if used >= MOST_SECRETS:
        raise secrets_full(used)


def _next(before: Secret | None, caller: Caller, name: str, clock: Clock) -> Secret:
    now = clock.now()
    if before is None:
        return Secret(caller.tenant_id, name, created_at=now, updated_at=now, updated_by=caller.key_id)
    return replace(before, updated_at=now, updated_by=caller.key_id, revision=before.revision + 1)


def secret_event(secret: Secret, kind: EventType, caller: Caller, clock: Clock, identifiers: Identifiers) -> Event:
    """What became of a secret, by whose hand."""
    now = clock.now()
    details = {"name": secret.name, "kind": str(secret.kind), "by": caller.key_id}
    return Event(identifiers.new(now), secret.tenant_id, kind, now, details=details)
