"""What every counter must be in the moment in which any write has been made, said of the runs alone."""

from collections import Counter
from collections.abc import Iterator

from deployment import make_settings

from outpost.adapters.dynamo_items import decode, queue_key, text
from outpost.domain.admission import Usage
from outpost.domain.run import Run
from outpost.domain.tenant import Tenant

from .platform import Item, Platform

JOBS, TENANTS, AUDIT, KEYS = "outpost-jobs-dev", "outpost-tenants-dev", "outpost-audit-dev", "outpost-api-keys-dev"


def runs_of(platform: Platform) -> list[Run]:
    """Every run of every tenant."""
    return [decode(Run, item) for item in _items(platform, JOBS, "RUN#")]


def tenants_of(platform: Platform) -> list[Tenant]:
    """Every tenant."""
    return [decode(Tenant, item) for item in _items(platform, TENANTS, "TENANT")]


def wrongs_of_counters(platform: Platform) -> Iterator[str]:
    """I3, for tenants and deployment; the limits; the queue's places; and what was used."""
    runs = runs_of(platform)
    for tenant in tenants_of(platform):
        yield from _wrongs_of_tenant(platform, tenant, [run for run in runs if run.tenant_id == tenant.tenant_id])
    at_work = sum(run.holds_slot for run in runs)
    counted = _number(_items(platform, TENANTS, "DEPLOYMENT"), "active_runs")
    if counted != at_work:
        yield f"I3: {counted} slots of the deployment for {at_work} runs at work"
    if at_work > make_settings().deployment_runs:
        yield f"limit: {at_work} runs of the deployment at work"


def _wrongs_of_tenant(platform: Platform, tenant: Tenant, runs: list[Run]) -> Iterator[str]:
    at_work, waiting = [run for run in runs if run.holds_slot], [run for run in runs if run.is_queued]
    if (tenant.active_runs, tenant.queued_runs) != (len(at_work), len(waiting)):
        yield (
            f"I3: {tenant.active_runs} slots and {tenant.queued_runs} places of {tenant.tenant_id}"
            f" for {len(at_work)} runs at work and {len(waiting)} that wait"
        )
    if len(at_work) > tenant.plan.concurrent_runs:
        yield f"limit: {len(at_work)} runs of {tenant.tenant_id} at work"
    places = {text(item, "sk") for item in _items(platform, JOBS, "QUEUE#", tenant.tenant_id)}
    if places != {text(queue_key(run), "sk") for run in waiting}:
        yield f"queue: {len(places)} places of {tenant.tenant_id} for {len(waiting)} runs that wait"
    used = [decode(Usage, item) for item in _items(platform, TENANTS, "USAGE#", tenant.tenant_id)]
    counted = Counter(
        dispatches=sum(usage.dispatches for usage in used), seconds=sum(usage.agent_seconds for usage in used)
    )
    if counted != Counter(dispatches=len(runs), seconds=sum(map(_counted_seconds, runs))):
        yield f"settlement: {dict(counted)} counted of {tenant.tenant_id}, for {len(runs)} runs"


def _counted_seconds(run: Run) -> int:
    """Reserved while the run lives, and then what it has used."""
    assert run.reservation is not None
    return run.used_seconds if run.status.is_terminal else run.reservation.seconds


def _items(platform: Platform, table: str, begins: str, tenant_id: str | None = None) -> list[Item]:
    items = [item for item in platform.items(table) if text(item, "sk").startswith(begins)]
    return [item for item in items if tenant_id is None or text(item, "pk") == f"TENANT#{tenant_id}"]


def _number(items: list[Item], name: str) -> int:
    return sum(int(item[name]["N"]) for item in items if name in item)
