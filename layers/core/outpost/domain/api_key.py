"""API keys: how they look, how they are kept, what they allow."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from outpost.domain.errors import PolicyDenied
from outpost.domain.repositories import may_use
from outpost.domain.usage import ModelBudget

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
class Restrictions:
    """What a key may be used for, beside its scopes; None does not restrict."""

    agents: tuple[str, ...] | None = None
    repositories: tuple[str, ...] | None = None
    monthly_budget_microusd: int | None = None
    run_budget_microusd: int | None = None
    run_tokens: int | None = None

    @property
    def run_budget(self) -> ModelBudget:
        """What one run may use of models."""
        return ModelBudget(self.run_budget_microusd, self.run_tokens)

    @property
    def exist(self) -> bool:
        """Whether there is any."""
        return self != Restrictions()

    def require_allowed(self, agent: str, repo: str | None, *, git_base_url: str) -> None:
        """Refuse what the key is not for. Raises PolicyDenied."""
        if self.agents is not None and agent not in self.agents:
            raise PolicyDenied("agent", f"this key is for the agents {', '.join(self.agents)}")
        if self.repositories is not None and (
            repo is None or not may_use(repo, allowed=self.repositories, git_base_url=git_base_url)
        ):
            raise PolicyDenied("repo", f"this key is for the repositories {', '.join(self.repositories)}")


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
    created_by: str | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    replaced_by: str | None = None
    restrictions: Restrictions = field(default_factory=Restrictions)
    # Whose use its budget counts: a key that replaces another goes on with what that one has used.
    budget_key_id: str | None = None

    @classmethod
    def from_secret(
        cls,
        secret: str,
        *,
        key_id: str,
        tenant_id: str,
        name: str,
        scopes: frozenset[Scope],
        created_at: datetime,
        created_by: str | None = None,
        expires_at: datetime | None = None,
        restrictions: Restrictions | None = None,
        budget_key_id: str | None = None,
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
            created_by=created_by,
            expires_at=expires_at,
            restrictions=restrictions or Restrictions(),
            budget_key_id=budget_key_id or key_id,
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
    """Who is calling: a tenant, by one of its keys or by a token made of one; `scopes` are those of the credential."""

    key: ApiKey
    scopes: frozenset[Scope]
    token_expires_at: datetime | None = None

    @property
    def tenant_id(self) -> str:
        """The tenant."""
        return self.key.tenant_id

    @property
    def key_id(self) -> str:
        """The key that calls, or that the token was made of."""
        return self.key.key_id
