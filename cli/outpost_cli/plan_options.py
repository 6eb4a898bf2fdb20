"""The options that say what a tenant's plan is to be."""

import functools
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from outpost_cli.durations import format_moment, parse_coming_moment, parse_optional_duration
from outpost_cli.errors import UsageRefused
from outpost_cli.json_fields import JsonObject, drop_absent
from outpost_cli.models.plan import PlanKind
from outpost_cli.operator_session import Operator
from outpost_cli.session import SharedOption, add_signature, make_parameters, read_parameters
from outpost_cli.views import now_utc

Parameters = ParamSpec("Parameters")
PANEL = "Plan"


class Limit(StrEnum):
    """The limits that a plan can be without."""

    DISPATCHES = "dispatches"
    AGENT_MINUTES = "agent-minutes"
    WORKSPACES = "workspaces"
    CPU = "cpu"
    MEMORY = "memory"
    MONTHLY_BUDGET = "monthly-budget"
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
    Limit.AGENTS: "agents",
    Limit.REPOSITORIES: "repositories",
    Limit.END: "endsAt",
}


def make_option(kind: Any, name: str, metavar: str, help_text: str, **settings: Any) -> SharedOption:
    option = typer.Option(name, metavar=metavar, help=help_text, rich_help_panel=PANEL, **settings)
    return Annotated[kind | None, option], None


PLAN_OPTIONS: dict[str, SharedOption] = {
    "kind": make_option(PlanKind, "--plan", "KIND", f"{', '.join(PlanKind)}: its defaults come first."),
    "concurrent_runs": make_option(int, "--concurrent-runs", "N", "How many runs at once.", min=1),
    "queued_runs": make_option(int, "--queued-runs", "N", "How many runs may wait.", min=0),
    "dispatches": make_option(int, "--dispatches", "N", "How many dispatches in a period.", min=0),
    "agent_minutes": make_option(int, "--agent-minutes", "N", "How many minutes of agents in a period.", min=0),
    "workspaces": make_option(int, "--workspaces", "N", "How many persistent workspaces.", min=0),
    "longest_timeout": make_option(str, "--longest-timeout", "TIME", "The longest time limit of a run: 2h."),
    "largest_cpu_units": make_option(int, "--largest-cpu-units", "N", "The largest CPU of a run; 1024 is one.", min=1),
    "largest_memory_mb": make_option(int, "--largest-memory-mb", "MB", "The largest memory of a run.", min=1),
    "monthly_budget_usd": make_option(float, "--monthly-budget-usd", "USD", "What runs may cost a month.", min=0),
    "agents": make_option(list[str], "--agent", "NAME", "Only this agent; repeat it."),
    "allow": make_option(list[str], "--allow-repository", "PATTERN", "Only such as example/*; repeat it."),
    "deny": make_option(list[str], "--deny-repository", "PATTERN", "None such as example/*; repeat it."),
    "own_secrets": make_option(
        OwnSecrets, "--own-secrets", "WORD", "Whether it has to bring keys for its models: required, optional."
    ),
    "ends_at": make_option(str, "--ends-at", "TIME", "When it ends: 2027-01-31, or 90d from now."),
    "no_limits": make_option(list[Limit], "--no-limit", "LIMIT", f"Take one away; repeat it: {', '.join(Limit)}."),
}


def with_plan_change(
    command: Callable[Concatenate[Operator, JsonObject, Parameters], None],
) -> Callable[..., None]:
    """Gives a command the change of a plan after its Operator, and the options of a plan to its signature."""

    @functools.wraps(command)
    def run(operator: Operator, *arguments: Parameters.args, **given: Parameters.kwargs) -> None:
        wanted = {name: given.pop(name) for name in PLAN_OPTIONS}
        command(operator, read_plan_change(wanted), *arguments, **given)

    operator, _, *own = read_parameters(command)
    add_signature(run, [operator, *own, *make_parameters(PLAN_OPTIONS)])
    return run


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
            "longestTimeoutSeconds": parse_optional_duration(wanted["longest_timeout"]),
            "largestCpuUnits": wanted["largest_cpu_units"],
            "largestMemoryMb": wanted["largest_memory_mb"],
            "monthlyBudgetUsd": wanted["monthly_budget_usd"],
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
