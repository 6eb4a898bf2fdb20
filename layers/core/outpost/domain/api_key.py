"""API keys: how they look, how they are kept, what they allow."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

SECRET_PREFIX = "otp_"  # noqa: S105 what every key begins with
SHOWN_CHARACTERS = 15
_SHAPE = re.compile(r"otp_[0-9a-f]{64}")


class Scope(StrEnum):
    """What a key may do, all of it within its own tenant."""

    DISPATCH = "dispatch"
    STATUS = "status"
    CANCEL = "cancel"
    PROMOTE = "promote"
    DELETE = "delete"
    KEYS = "keys"
    SECRETS = "secrets"
    WEBHOOKS = "webhooks"
    AUDIT = "audit"
    ADMIN = "admin"


class KeyStatus(StrEnum):
    """Whether a key may still be used."""

    ACTIVE = "ACTIVE"
    REVOKED = "REVOKED"


def make_secret() -> str:
    """A fresh secret: `otp_` and 64 hexadecimal characters (256 random bits)."""
    return SECRET_PREFIX + secrets.token_hex(32)


def looks_like_secret(text: str) -> bool:
    """Whether the text has a key's shape; cheap, so that anything else costs no database read."""
    return _SHAPE.fullmatch(text) is not None


def hash_secret(secret: str) -> str:
    """The SHA-256 of the secret, the only form in which it is kept: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class ApiKey:
    """A key as it is stored: never its secret."""

    key_hash: str
    key_id: str
    tenant_id: str
    name: str
    prefix: str
    scopes: frozenset[Scope]
    status: KeyStatus
    created_at: datetime
    expires_at: datetime | None = None

    @classmethod
    def from_secret(
        cls, secret: str, *, key_id: str, tenant_id: str, name: str, scopes: frozenset[Scope], created_at: datetime
    ) -> Self:
        """The record to keep of a fresh secret."""
        return cls(
            key_hash=hash_secret(secret),
            key_id=key_id,
            tenant_id=tenant_id,
            name=name,
            prefix=secret[:SHOWN_CHARACTERS],
            scopes=scopes,
            status=KeyStatus.ACTIVE,
            created_at=created_at,
        )

    def refusal(self, now: datetime) -> str | None:
        """Why the key may not be used at this time, or None if it may."""
        if self.status is not KeyStatus.ACTIVE:
            return self.status.lower()
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return None


@dataclass(frozen=True)
class Caller:
    """Who is calling: a tenant, by one of its keys."""

    tenant_id: str
    key_id: str
    key_hash: str
    scopes: frozenset[Scope]
