"""The options that say what a run may use."""

from collections.abc import Mapping
from typing import Any

from outpost_cli.models.means import Budget, ContextLevel, Means, Resources
from outpost_cli.session import SharedOption, make_option, with_option_group

PANEL = "What it may use"
LEVELS = ", ".join(ContextLevel)

MEANS_OPTIONS: dict[str, SharedOption] = {
    "context": make_option(
        PANEL,
        ContextLevel,
        "--context",
        "LEVEL",
        f"How much of the repository's own notes the agent is given: {LEVELS}.",
        case_sensitive=False,
    ),
    "max_cost_usd": make_option(PANEL, float, "--max-cost-usd", "USD", "What its models may cost at most.", min=0),
    "max_tokens": make_option(PANEL, int, "--max-tokens", "N", "How many tokens its models may use.", min=1),
    "secrets": make_option(
        PANEL, list[str], "--secret", "NAME", "A secret of the tenant's to place in the environment; repeat it."
    ),
    "cpu_units": make_option(PANEL, int, "--cpu-units", "N", "Its CPU; 1024 is one.", min=1),
    "memory_mb": make_option(PANEL, int, "--memory-mb", "MB", "Its memory; a size that Fargate has.", min=1),
    "disk_gb": make_option(PANEL, int, "--disk-gb", "GB", "Its disk, 21 to 200.", min=1),
}


def read_means(wanted: Mapping[str, Any]) -> Means:
    return Means(
        context=wanted["context"],
        resources=Resources(wanted["cpu_units"], wanted["memory_mb"], wanted["disk_gb"]),
        budget=Budget(wanted["max_cost_usd"], wanted["max_tokens"]),
        secrets=tuple(wanted["secrets"] or ()),
    )


with_means = with_option_group(MEANS_OPTIONS, read_means)
