"""A plan: what a tenant may have, how much of it, and until when."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from outpost.domain.agents import Agent
from outpost.domain.errors import PlanEnded, PolicyDenied
from outpost.domain.repositories import may_use
from outpost.domain.size import Size
from outpost.domain.usage import ModelBudget


class PlanKind(StrEnum):
    """What sort of plan it is: a trial counts over its whole time, the others by the month."""

    TRIAL = "trial"
    STANDARD = "standard"
    UNLIMITED = "unlimited"


@dataclass(frozen=True)
class Period:
    """The time over which use is counted: its name, and when the counting begins anew (None: never)."""

    name: str
    resets_at: datetime | None


@dataclass(frozen=True)
class Plan:
    """The limits of a tenant; None is no limit."""

    kind: PlanKind
    concurrent_runs: int
    queued_runs: int
    longest_timeout_seconds: int
    started_at: datetime
    ends_at: datetime | None = None
    dispatches: int | None = None
    agent_minutes: int | None = None
    workspaces: int | None = None
    workspace_days: int = 30
    workspace_mb: int = 2_048
    monthly_budget_microusd: int | None = None
    run_budget_microusd: int | None = None
    run_tokens: int | None = None
    largest_cpu_units: int | None = None
    largest_memory_mb: int | None = None
    agents: tuple[str, ...] | None = None
    allowed_repositories: tuple[str, ...] | None = None
    denied_repositories: tuple[str, ...] = ()
    own_secrets_required: bool = False

    @property
    def has_repository_rules(self) -> bool:
        """Whether the plan says which repositories may be worked on."""
        return self.allowed_repositories is not None or bool(self.denied_repositories)

    @property
    def run_budget(self) -> ModelBudget:
        """What one run may use of models."""
        return ModelBudget(self.run_budget_microusd, self.run_tokens)

    def period(self, at: datetime) -> Period:
        """The period that the time lies in."""
        if self.kind is PlanKind.TRIAL:
            return Period(f"trial-{self.started_at:%Y%m%dT%H%M%S}", None)
        return month_of(at)

    def require_running(self, at: datetime) -> None:
        """Refuse new work once the plan has ended. Raises PlanEnded."""
        if self.ends_at is not None and self.ends_at <= at:
            raise PlanEnded(is_trial=self.kind is PlanKind.TRIAL, ended_at=self.ends_at)

    def require_allowed(
        self, agent: Agent, repo: str | None, timeout_seconds: int, size: Size, *, git_base_url: str
    ) -> None:
        """Refuse what the plan does not allow at any time. Raises PolicyDenied."""
        if self.agents is not None and agent.name not in self.agents:
            raise PolicyDenied("agent", f"the plan allows the agents {', '.join(self.agents) or 'none'}")
        if timeout_seconds > self.longest_timeout_seconds:
            raise PolicyDenied("timeoutSeconds", f"the plan allows at most {self.longest_timeout_seconds} seconds")
        if self.largest_cpu_units is not None and size.cpu_units > self.largest_cpu_units:
            raise PolicyDenied("resources.cpuUnits", f"the plan allows at most {self.largest_cpu_units} CPU units")
        if self.largest_memory_mb is not None and size.memory_mb > self.largest_memory_mb:
            raise PolicyDenied("resources.memoryMb", f"the plan allows at most {self.largest_memory_mb} MB of memory")
        if not may_use(
            repo, allowed=self.allowed_repositories, denied=self.denied_repositories, git_base_url=git_base_url
        ):
            raise PolicyDenied("repo", "the plan does not allow this repository")


def month_of(at: datetime) -> Period:
    """The calendar month in UTC."""
    at = at.astimezone(UTC)
    year, month = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)  # noqa: PLR2004 December
    return Period(f"{at:%Y-%m}", datetime(year, month, 1, tzinfo=UTC))
