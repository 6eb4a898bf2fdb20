"""Exchanges an API key for a token that lives a quarter of an hour and dies with the key."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from outpost.domain.api_key import Caller, Scope
from outpost.domain.errors import PolicyDenied, ScopeMissing
from outpost.domain.token import ACCESS_TOKEN_PREFIX, Purpose, sign
from outpost.ports import Clock, SigningKey

VALIDITY = timedelta(minutes=15)


@dataclass(frozen=True)
class AccessToken:
    """A token, what it may do, and until when."""

    token: str
    scopes: frozenset[Scope]
    expires_at: datetime


def issue_token(
    caller: Caller, scopes: Collection[Scope] | None, *, signing_key: SigningKey, clock: Clock
) -> AccessToken:
    """A token with the scopes, or with all of the key's. Raises ScopeMissing, PolicyDenied.

    A token makes no token: it could live for ever so.
    """
    if caller.token_expires_at is not None:
        raise PolicyDenied("Authorization", "a token cannot be exchanged for another: send the API key")
    wanted = caller.scopes if scopes is None else frozenset(scopes)
    for scope in sorted(wanted - caller.scopes):
        raise ScopeMissing(scope)
    expires_at = (clock.now() + VALIDITY).replace(microsecond=0)
    claims: dict[str, str | int] = {
        "key": caller.key.key_hash,
        "scopes": " ".join(sorted(wanted)),
        "exp": int(expires_at.timestamp()),
    }
    return AccessToken(ACCESS_TOKEN_PREFIX + sign(signing_key.value(), Purpose.ACCESS, claims), wanted, expires_at)
