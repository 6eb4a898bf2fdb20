"""Who one is at the service: tenant, keys, tokens."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outpost_cli.json_fields import (
    JsonObject,
    read_integer,
    read_moment,
    read_object,
    read_optional_integer,
    read_optional_moment,
    read_optional_number,
    read_optional_text,
    read_optional_texts,
    read_text,
    read_texts,
)
from outpost_cli.models.plan import Plan

TOKEN = "token"  # noqa: S105 - the name of a kind of credential


class Scope(StrEnum):
    """What a key or a token may be good for."""

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


@dataclass(frozen=True, slots=True)
class Key:
    """An API key without its secret. `agents`, `repositories` and the budgets are None where it is not bounded."""

    key_id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    status: str
    created_at: datetime
    created_by: str | None
    last_used_at: datetime | None
    expires_at: datetime | None
    replaced_by: str | None
    agents: tuple[str, ...] | None
    repositories: tuple[str, ...] | None
    monthly_budget_usd: float | None
    run_budget_usd: float | None
    run_tokens: int | None
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "Key":
        return cls(
            key_id=read_text(document, "keyId"),
            name=read_text(document, "name"),
            prefix=read_text(document, "prefix"),
            scopes=read_texts(document, "scopes"),
            status=read_text(document, "status"),
            created_at=read_moment(document, "createdAt"),
            created_by=read_optional_text(document, "createdBy"),
            last_used_at=read_optional_moment(document, "lastUsedAt"),
            expires_at=read_optional_moment(document, "expiresAt"),
            replaced_by=read_optional_text(document, "replacedBy"),
            agents=read_optional_texts(document, "agents"),
            repositories=read_optional_texts(document, "repositories"),
            monthly_budget_usd=read_optional_number(document, "monthlyBudgetUsd"),
            run_budget_usd=read_optional_number(document, "runBudgetUsd"),
            run_tokens=read_optional_integer(document, "runTokens"),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key with its secret, which the service tells this once; `document` is the whole answer."""

    key: Key
    secret: str
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "IssuedKey":
        return cls.from_documents(document, key=document)

    @classmethod
    def from_documents(cls, document: JsonObject, *, key: JsonObject) -> "IssuedKey":
        """Of an answer that has the key's own fields apart."""
        return cls(key=Key.from_document(key), secret=read_text(document, "apiKey"), document=document)


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new key, and until when the one that it replaces is good."""

    issued: IssuedKey
    old_key_id: str
    old_expires_at: datetime

    @classmethod
    def from_document(cls, document: JsonObject) -> "Rotation":
        replaced = read_object(document, "replaces")
        return cls(
            issued=IssuedKey.from_document(document),
            old_key_id=read_text(replaced, "keyId"),
            old_expires_at=read_moment(replaced, "expiresAt"),
        )


@dataclass(frozen=True, slots=True)
class Token:
    """A short-lived credential."""

    token: str
    expires_at: datetime
    expires_in_seconds: int
    scopes: tuple[str, ...]
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "Token":
        return cls(
            token=read_text(document, "token"),
            expires_at=read_moment(document, "expiresAt"),
            expires_in_seconds=read_integer(document, "expiresInSeconds"),
            scopes=read_texts(document, "scopes"),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose credential one has, and what it is good for now."""

    tenant_id: str
    tenant_name: str
    tenant_status: str
    credential: str
    key: Key
    scopes: tuple[str, ...]
    expires_at: datetime | None
    plan: Plan
    document: JsonObject

    @property
    def is_token(self) -> bool:
        return self.credential == TOKEN

    @classmethod
    def from_document(cls, document: JsonObject) -> "Identity":
        tenant = read_object(document, "tenant")
        return cls(
            tenant_id=read_text(tenant, "tenantId"),
            tenant_name=read_text(tenant, "name"),
            tenant_status=read_text(tenant, "status"),
            credential=read_text(document, "credential"),
            key=Key.from_document(read_object(document, "key")),
            scopes=read_texts(document, "scopes"),
            expires_at=read_optional_moment(document, "expiresAt"),
            plan=Plan.from_document(read_object(document, "plan")),
            document=document,
        )
