"""What operators may say of a plan, and the plan that comes of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, field_validator

from outpost.api.account_bodies import AgentNames, RepositoryPatterns, Tokens, Usd
from outpost.api.parsing import Body
from outpost.domain.money import microusd
from outpost.domain.plan import Plan, PlanKind
from outpost.settings import Settings

Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
MOST_CONCURRENT = 1_000
MOST_QUEUED = 10_000
# The bucket's lifecycle rule removes snapshots after this time, and one request puts no more than this into it.
LONGEST_WORKSPACE_DAYS = 90
LARGEST_WORKSPACE_MB = 5_120


class RepositoriesBody(Body):
    """Which repositories may be worked on; a half that is not named stays as it is."""

    allow: RepositoryPatterns | None = None
    deny: Annotated[list[str], Field(max_length=0)] | RepositoryPatterns = Field(default_factory=list)


class PlanBody(Body):
    """A change of a plan: what is not named stays as it is, and null removes a limit."""

    kind: PlanKind | None = None
    concurrent_runs: Annotated[int, Field(ge=1, le=MOST_CONCURRENT)] | None = None
    queued_runs: Annotated[int, Field(ge=0, le=MOST_QUEUED)] | None = None
    longest_timeout_seconds: Annotated[int, Field(ge=30, le=86_400)] | None = None
    dispatches: Count | None = None
    agent_minutes: Count | None = None
    workspaces: Count | None = None
    workspace_days: Annotated[int, Field(ge=1, le=LONGEST_WORKSPACE_DAYS)] | None = None
    workspace_mb: Annotated[int, Field(ge=1, le=LARGEST_WORKSPACE_MB)] | None = None
    monthly_budget_usd: Usd | None = None
    run_budget_usd: Usd | None = None
    run_tokens: Tokens | None = None
    largest_cpu_units: Count | None = None
    largest_memory_mb: Count | None = None
    agents: AgentNames | None = None
    repositories: RepositoriesBody | None = None
    own_secrets_required: bool | None = None
    ends_at: AwareDatetime | None = None

    @field_validator("kind", mode="before")
    @classmethod
    def _kind(cls, kind: Any) -> Any:
        return PlanKind(kind) if isinstance(kind, str) and kind in list(PlanKind) else kind

    @field_validator("ends_at", mode="before")
    @classmethod
    def _time(cls, at: Any) -> Any:
        return datetime.fromisoformat(at) if isinstance(at, str) else at

    @field_validator(
        "kind",
        "concurrent_runs",
        "queued_runs",
        "longest_timeout_seconds",
        "workspace_days",
        "workspace_mb",
        "own_secrets_required",
    )
    @classmethod
    def _is_said(cls, value: object) -> object:
        if value is None:
            raise ValueError("cannot be null")
        return value

    def apply(self, plan: Plan, settings: Settings, now: datetime) -> Plan:
        """The plan with the change; where a kind is named, a plan of that kind begins anew, with its defaults."""
        if self.kind is not None:
            plan = default_plan(self.kind, settings, now)
        return replace(plan, **{name: value for field in self.model_fields_set for name, value in self._said(field)})

    def _said(self, field: str) -> list[tuple[str, Any]]:
        """The attributes of a plan that a field says, in the plan's own units."""
        value = getattr(self, field)
        match field:
            case "kind":
                return []
            case "monthly_budget_usd" | "run_budget_usd":
                return [(field.replace("_usd", "_microusd"), None if value is None else microusd(value))]
            case "agents":
                return [("agents", None if value is None else tuple(value))]
            case "repositories":
                rules = value or RepositoriesBody(allow=None, deny=[])
                allowed = None if rules.allow is None else tuple(rules.allow)
                said = {"allow": ("allowed_repositories", allowed), "deny": ("denied_repositories", tuple(rules.deny))}
                return [said[half] for half in sorted(rules.model_fields_set)]
            case _:
                return [(field, value)]


def default_plan(kind: PlanKind, settings: Settings, now: datetime) -> Plan:
    """What a plan of the kind begins with, as the template's parameters say."""
    plan = Plan(
        kind,
        settings.concurrent_runs,
        settings.queued_runs,
        settings.longest_timeout_seconds,
        now,
        run_budget_microusd=microusd(settings.run_budget_usd),
    )
    match kind:
        case PlanKind.TRIAL:
            return replace(
                plan,
                ends_at=now + timedelta(days=settings.trial_days),
                dispatches=settings.trial_dispatches,
                agent_minutes=settings.trial_agent_minutes,
                workspaces=settings.trial_workspaces,
            )
        case PlanKind.UNLIMITED:
            return replace(plan, concurrent_runs=MOST_CONCURRENT, queued_runs=MOST_QUEUED, run_budget_microusd=None)
        case PlanKind.STANDARD:
            return plan
