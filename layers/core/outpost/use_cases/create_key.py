"""Makes a key of a tenant, at the word of one of its own keys or of an operator."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from outpost.domain.api_key import ApiKey, Caller, Restrictions, Scope, make_secret
from outpost.domain.errors import PolicyDenied, ScopeMissing
from outpost.domain.event import Event, EventType
from outpost.ports import Clock, Identifiers, Keyring

OPERATOR = "operator"


@dataclass(frozen=True)
class KeyWish:
    """What a new key is to be."""

    name: str
    scopes: frozenset[Scope]
    lifetime: timedelta | None = None
    restrictions: Restrictions = field(default_factory=Restrictions)


@dataclass(frozen=True)
class KeyMade:
    """A key, and its secret, which nobody can ask for again."""

    key: ApiKey
    secret: str


def create_key(caller: Caller, wish: KeyWish, *, keyring: Keyring, clock: Clock, identifiers: Identifiers) -> KeyMade:
    """The new key. Raises ScopeMissing, PolicyDenied, TenantSuspended.

    Nobody gives what they have not: neither a scope nor a longer life; a token, a key that has been replaced, and a
    restricted key make none.
    """
    require_lasting(caller)
    for scope in sorted(wish.scopes - caller.scopes):
        raise ScopeMissing(scope)
    if caller.key.restrictions.exist:
        raise PolicyDenied("Authorization", "a restricted key makes no other keys")
    made = new_key(caller.tenant_id, caller.key_id, wish, clock=clock, identifiers=identifiers)
    made = replace(made, key=_within_life(made.key, caller.key))
    return _record(made, keyring=keyring, clock=clock, identifiers=identifiers)


def require_lasting(caller: Caller) -> None:
    """Refuse what would let a credential live on in another: a token, or a key that has been replaced."""
    if caller.token_expires_at is not None:
        raise PolicyDenied("Authorization", "a token makes no keys: send the API key")
    if caller.key.replaced_by is not None:
        raise PolicyDenied("Authorization", "a key that has been replaced makes no keys")


def _within_life(key: ApiKey, creator: ApiKey) -> ApiKey:
    """The new key, which ends with who makes it where it asks for no end of its own."""
    if creator.expires_at is None:
        return key
    if key.expires_at is not None and key.expires_at > creator.expires_at:
        raise PolicyDenied("expiresInSeconds", "a key makes no key that outlives it")
    return replace(key, expires_at=key.expires_at or creator.expires_at)


def recover_key(tenant_id: str, name: str, *, keyring: Keyring, clock: Clock, identifiers: Identifiers) -> KeyMade:
    """A key with every scope, for a tenant that has lost its own. Raises TenantSuspended."""
    made = new_key(tenant_id, OPERATOR, KeyWish(name, frozenset(Scope)), clock=clock, identifiers=identifiers)
    return _record(made, keyring=keyring, clock=clock, identifiers=identifiers)


def new_key(tenant_id: str, created_by: str, wish: KeyWish, *, clock: Clock, identifiers: Identifiers) -> KeyMade:
    """A key that is not recorded yet."""
    now = clock.now()
    secret = make_secret()
    key = ApiKey.from_secret(
        secret,
        key_id=identifiers.new(now),
        tenant_id=tenant_id,
        name=wish.name,
        scopes=wish.scopes,
        created_at=now,
        created_by=created_by,
        expires_at=None if wish.lifetime is None else now + wish.lifetime,
        restrictions=wish.restrictions,
    )
    return KeyMade(key, secret)


def key_event(key: ApiKey, kind: EventType, by: str, *, clock: Clock, identifiers: Identifiers) -> Event:
    """The event of a key's making or end."""
    now = clock.now()
    details = {"keyId": key.key_id, "name": key.name, "by": by, "scopes": " ".join(sorted(key.scopes))}
    return Event(identifiers.new(now), key.tenant_id, kind, now, details=details)


def _record(made: KeyMade, *, keyring: Keyring, clock: Clock, identifiers: Identifiers) -> KeyMade:
    by = made.key.created_by or OPERATOR
    keyring.create(made.key, key_event(made.key, EventType.KEY_CREATED, by, clock=clock, identifiers=identifiers))
    return made
