"""The options that say what a tenant's plan is to be."""

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Any

from outpost_cli.durations import format_moment, parse_coming_moment, parse_optional_duration
from outpost_cli.errors import UsageRefused
from outpost_cli.json_fields import JsonObject, drop_absent
from outpost_cli.models.plan import PlanKind
from outpost_cli.session import SharedOption, make_option, with_option_group
from outpost_cli.views import now_utc

PANEL = "Plan"


class Limit(StrEnum):
    """The limits that a plan can be without."""

    DISPATCHES = "dispatches"
    AGENT_MINUTES = "agent-minutes"
    WORKSPACES = "workspaces"
    CPU = "cpu"
    MEMORY = "memory"
    MONTHLY_BUDGET = "monthly-budget"
    RUN_BUDGET = "run-budget"
    RUN_TOKENS = "run-tokens"
    AGENTS = "agents"
    REPOSITORIES = "repositories"
    END = "end"


class OwnSecrets(StrEnum):
    """Whether the tenant has to bring keys for its models, or may use the deployment's."""

    REQUIRED = "required"
    OPTIONAL = "optional"


FIELD_BY_LIMIT = {
    Limit.DISPATCHES: "dispatches",
    Limit.AGENT_MINUTES: "agentMinutes",
    Limit.WORKSPACES: "workspaces",
    Limit.CPU: "largestCpuUnits",
    Limit.MEMORY: "largestMemoryMb",
    Limit.MONTHLY_BUDGET: "monthlyBudgetUsd",
    Limit.RUN_BUDGET: "runBudgetUsd",
    Limit.RUN_TOKENS: "runTokens",
    Limit.AGENTS: "agents",
    Limit.REPOSITORIES: "repositories",
    Limit.END: "endsAt",
}


make_plan_option = partial(make_option, PANEL)

PLAN_OPTIONS: dict[str, SharedOption] = {
    "kind": make_plan_option(PlanKind, "--plan", "KIND", f"{', '.join(PlanKind)}: its defaults come first."),
    "concurrent_runs": make_plan_option(int, "--concurrent-runs", "N", "How many runs at once.", min=1),
    "queued_runs": make_plan_option(int, "--queued-runs", "N", "How many runs may wait.", min=0),
    "dispatches": make_plan_option(int, "--dispatches", "N", "How many dispatches in a period.", min=0),
    "agent_minutes": make_plan_option(int, "--agent-minutes", "N", "How many minutes of agents in a period.", min=0),
    "workspaces": make_plan_option(int, "--workspaces", "N", "How many persistent workspaces.", min=0),
    "workspace_days": make_plan_option(
        int, "--workspace-days", "N", "How many days an unused workspace is kept, 1 to 90.", min=1, max=90
    ),
    "workspace_mb": make_plan_option(
        int, "--workspace-mb", "MB", "The largest packed workspace, 1 to 5120.", min=1, max=5120
    ),
    "longest_timeout": make_plan_option(str, "--longest-timeout", "TIME", "The longest time limit of a run: 2h."),
    "largest_cpu_units": make_plan_option(
        int, "--largest-cpu-units", "N", "The largest CPU of a run; 1024 is one.", min=1
    ),
    "largest_memory_mb": make_plan_option(int, "--largest-memory-mb", "MB", "The largest memory of a run.", min=1),
    "monthly_budget_usd": make_plan_option(float, "--monthly-budget-usd", "USD", "What runs may cost a month.", min=0),
    "run_budget_usd": make_plan_option(float, "--run-budget-usd", "USD", "What a run's models may cost.", min=0),
    "run_tokens": make_plan_option(int, "--run-tokens", "N", "How many tokens a run's models may use.", min=1),
    "agents": make_plan_option(list[str], "--agent", "NAME", "Only this agent; repeat it."),
    "allow": make_plan_option(list[str], "--allow-repository", "PATTERN", "Only such as example/*; repeat it."),
    "deny": make_plan_option(list[str], "--deny-repository", "PATTERN", "None such as example/*; repeat it."),
    "own_secrets": make_plan_option(
        OwnSecrets, "--own-secrets", "WORD", "Whether it has to bring keys for its models: required, optional."
    ),
    "ends_at": make_plan_option(str, "--ends-at", "TIME", "When it ends: 2027-01-31, or 90d from now."),
    "no_limits": make_plan_option(list[Limit], "--no-limit", "LIMIT", f"Take one away; repeat it: {', '.join(Limit)}."),
}


def read_plan_change(wanted: Mapping[str, Any]) -> JsonObject:
    """The fields that change, by their names in the contract; null takes a limit away. Raises UsageRefused."""
    ends_at, own_secrets = wanted["ends_at"], wanted["own_secrets"]
    repositories = drop_absent({"allow": wanted["allow"] or None, "deny": wanted["deny"] or None})
    change = drop_absent(
        {
            "kind": wanted["kind"],
            "concurrentRuns": wanted["concurrent_runs"],
            "queuedRuns": wanted["queued_runs"],
            "dispatches": wanted["dispatches"],
            "agentMinutes": wanted["agent_minutes"],
            "workspaces": wanted["workspaces"],
            "workspaceDays": wanted["workspace_days"],
            "workspaceMb": wanted["workspace_mb"],
            "longestTimeoutSeconds": parse_optional_duration(wanted["longest_timeout"]),
            "largestCpuUnits": wanted["largest_cpu_units"],
            "largestMemoryMb": wanted["largest_memory_mb"],
            "monthlyBudgetUsd": wanted["monthly_budget_usd"],
            "runBudgetUsd": wanted["run_budget_usd"],
            "runTokens": wanted["run_tokens"],
            "agents": wanted["agents"] or None,
            "repositories": repositories or None,
            "ownSecretsRequired": None if own_secrets is None else own_secrets == OwnSecrets.REQUIRED,
            "endsAt": None if ends_at is None else format_moment(parse_coming_moment(ends_at, now=now_utc())),
        }
    )
    for limit in wanted["no_limits"] or []:
        name = FIELD_BY_LIMIT[limit]
        if change.get(name) is not None:
            raise UsageRefused(
                f"{name} is given a limit and none.", remedy=f"Leave out --no-limit {limit}, or the limit."
            )
        change[name] = None
    return change


with_plan_change = with_option_group(PLAN_OPTIONS, read_plan_change)
