"""Money, tokens and sizes of compute, as people read them."""

from outpost_cli.models.means import Budget, Resources
from outpost_cli.models.usage import RunUsage

SMALLEST_SHOWN_USD = 0.0001
CPU_UNITS = 1024
MB_PER_GB = 1024


def format_money(usd: float) -> str:
    """Dollars, with cents and at most hundredths of them: `$10.00`, `$0.0123`."""
    if 0 < usd < SMALLEST_SHOWN_USD:
        return f"<${SMALLEST_SHOWN_USD}"
    dollars, _, cents = f"{usd:,.4f}".rstrip("0").partition(".")
    return f"${dollars}.{cents:0<2}"


def format_cost(usage: RunUsage | None) -> str | None:
    """What a run has cost, with a `~` while that is an estimate; None before a runner took it."""
    if usage is None:
        return None
    return f"{'~' if usage.is_estimate else ''}{format_money(usage.total_cost_usd)}"


def format_budget(budget: Budget) -> str | None:
    """`$10.00 and 500,000 tokens`; None without a limit."""
    cost = None if budget.max_cost_usd is None else format_money(budget.max_cost_usd)
    tokens = None if budget.max_tokens is None else f"{budget.max_tokens:,} tokens"
    return " and ".join(filter(None, [cost, tokens])) or None


def format_resources(resources: Resources) -> str:
    """`2 vCPU, 8 GB, 21 GB disk`."""
    cpu = None if resources.cpu_units is None else f"{format_cpu(resources.cpu_units)} vCPU"
    memory = None if resources.memory_mb is None else format_memory(resources.memory_mb)
    disk = None if resources.disk_gb is None else f"{resources.disk_gb} GB disk"
    return ", ".join(filter(None, [cpu, memory, disk]))


def format_cpu(units: int) -> str:
    """Virtual CPUs: `2`, `0.25`."""
    return f"{units / CPU_UNITS:g}"


def format_memory(size_mb: int) -> str:
    """`8 GB`, `512 MB`."""
    return f"{size_mb} MB" if size_mb < MB_PER_GB else f"{size_mb / MB_PER_GB:g} GB"
