"""A tenant's plan as the service tells it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outpost_cli.json_fields import (
    JsonObject,
    read_flag,
    read_integer,
    read_optional_integer,
    read_optional_moment,
    read_optional_number,
    read_optional_object,
    read_optional_texts,
    read_text,
)


class PlanKind(StrEnum):
    TRIAL = "trial"
    STANDARD = "standard"
    UNLIMITED = "unlimited"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a tenant may have; None is no limit.

    An older service does not tell the days and the size of a workspace: there None is not known.
    """

    kind: str
    concurrent_runs: int
    queued_runs: int
    dispatches: int | None
    agent_minutes: int | None
    workspaces: int | None
    workspace_days: int | None
    workspace_mb: int | None
    longest_timeout_seconds: int
    largest_cpu_units: int | None
    largest_memory_mb: int | None
    monthly_budget_usd: float | None
    run_budget_usd: float | None
    run_tokens: int | None
    agents: tuple[str, ...] | None
    allowed_repositories: tuple[str, ...] | None
    denied_repositories: tuple[str, ...] | None
    is_own_secrets_required: bool
    ends_at: datetime | None

    @classmethod
    def from_document(cls, document: JsonObject) -> "Plan":
        repositories = read_optional_object(document, "repositories") or {}
        return cls(
            kind=read_text(document, "kind"),
            concurrent_runs=read_integer(document, "concurrentRuns"),
            queued_runs=read_integer(document, "queuedRuns"),
            dispatches=read_optional_integer(document, "dispatches"),
            agent_minutes=read_optional_integer(document, "agentMinutes"),
            workspaces=read_optional_integer(document, "workspaces"),
            workspace_days=read_optional_integer(document, "workspaceDays"),
            workspace_mb=read_optional_integer(document, "workspaceMb"),
            longest_timeout_seconds=read_integer(document, "longestTimeoutSeconds"),
            largest_cpu_units=read_optional_integer(document, "largestCpuUnits"),
            largest_memory_mb=read_optional_integer(document, "largestMemoryMb"),
            monthly_budget_usd=read_optional_number(document, "monthlyBudgetUsd"),
            run_budget_usd=read_optional_number(document, "runBudgetUsd"),
            run_tokens=read_optional_integer(document, "runTokens"),
            agents=read_optional_texts(document, "agents"),
            allowed_repositories=read_optional_texts(repositories, "allow"),
            denied_repositories=read_optional_texts(repositories, "deny"),
            is_own_secrets_required=read_flag(document, "ownSecretsRequired"),
            ends_at=read_optional_moment(document, "endsAt"),
        )
