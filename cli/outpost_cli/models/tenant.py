"""A tenant and the whole deployment, as operators see them."""

from dataclasses import dataclass
from datetime import datetime

from outpost_cli.json_fields import (
    JsonObject,
    read_integer,
    read_list,
    read_moment,
    read_object,
    read_optional_moment,
    read_optional_number,
    read_optional_text,
    read_text,
)
from outpost_cli.models.kill_switch import KillSwitch
from outpost_cli.models.plan import Plan
from outpost_cli.models.service import Breaker


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tenant has used in the period that is counted now."""

    period: str
    resets_at: datetime | None
    dispatches: int
    agent_minutes: float
    cost_usd: float

    @classmethod
    def from_document(cls, document: JsonObject) -> "Usage":
        return cls(
            period=read_text(document, "period"),
            resets_at=read_optional_moment(document, "resetsAt"),
            dispatches=read_integer(document, "dispatches"),
            agent_minutes=read_optional_number(document, "agentMinutes") or 0,
            cost_usd=read_optional_number(document, "costUsd") or 0,
        )


@dataclass(frozen=True, slots=True)
class Tenant:
    tenant_id: str
    name: str
    status: str
    suspended_reason: str | None
    created_at: datetime
    plan: Plan
    active_runs: int
    queued_runs: int
    kill_switch: KillSwitch
    usage: Usage
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "Tenant":
        return cls(
            tenant_id=read_text(document, "tenantId"),
            name=read_text(document, "name"),
            status=read_text(document, "status"),
            suspended_reason=read_optional_text(document, "suspendedReason"),
            created_at=read_moment(document, "createdAt"),
            plan=Plan.from_document(read_object(document, "plan")),
            active_runs=read_integer(document, "activeRuns"),
            queued_runs=read_integer(document, "queuedRuns"),
            kill_switch=KillSwitch.from_document(read_object(document, "killSwitch")),
            usage=Usage.from_document(read_object(document, "usage")),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Deployment:
    """What all tenants share."""

    active_runs: int
    limit: int
    kill_switch: KillSwitch
    breakers: tuple[tuple[str, Breaker], ...]
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "Deployment":
        return cls(
            active_runs=read_integer(document, "activeRuns"),
            limit=read_integer(document, "limit"),
            kill_switch=KillSwitch.from_document(read_object(document, "killSwitch")),
            breakers=read_list(
                document, "breakers", lambda entry: (read_text(entry, "agent"), Breaker.from_document(entry))
            ),
            document=document,
        )
