"""Gives free slots to waiting runs.

Between tenants: who has the fewest runs at work comes first, and among those who was served longest ago. So a tenant
that has nothing at work is never passed over for one that has, and equals take turns. Within a tenant: the highest
priority first, then the oldest.
"""

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from outpost.domain.errors import OutpostError, RunNotFound
from outpost.domain.event import EventType
from outpost.domain.run import Run, RunStatus
from outpost.domain.tenant import Tenant
from outpost.ports import Accounts, Clock, Executions, Identifiers, Queue, Runs, SigningKey, SlotRefusal, SlotRefused
from outpost.use_cases.change_run import Change, change_run
from outpost.use_cases.start_execution import release_execution

logger = logging.getLogger(__name__)

# How many tenants are looked at, and slots given, in one go: a bounded piece of work, which others go on with.
TENANTS = 500
SLOTS = 100
_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class SlotGiver:
    """The ports that handing out needs."""

    runs: Runs
    queue: Queue
    accounts: Accounts
    executions: Executions
    signing_key: SigningKey
    clock: Clock
    identifiers: Identifiers


def hand_out_slots(giver: SlotGiver, freed_by: str | None = None) -> int:
    """Give what is free to whoever is next; how many runs got a slot.

    `freed_by` names the tenant whose run has ended: it is looked at even where the index does not show it yet.
    """
    waiting = {tenant.tenant_id: tenant for tenant in giver.queue.waiting_tenants(TENANTS)}
    if freed_by is not None:
        tenant = giver.accounts.get(freed_by)
        waiting |= {freed_by: tenant} if tenant is not None and tenant.queued_runs else {}
    given, others, blocked = 0, set[str](), set[str]()
    while given < SLOTS:
        tenant = _next(waiting)
        if tenant is None:
            return given
        try:
            run = _serve(giver, tenant, others, blocked)
        except SlotRefused as refused:
            if refused.reason is SlotRefusal.DEPLOYMENT_IS_CLOSED:
                return given
            if refused.reason is SlotRefusal.AGENT_IS_BLOCKED:
                continue
            run = None
        if run is None:
            del waiting[tenant.tenant_id]
        elif run.run_id in others:
            waiting[tenant.tenant_id] = giver.accounts.get(tenant.tenant_id) or tenant
        else:
            given += 1
            waiting[tenant.tenant_id] = replace(tenant, active_runs=tenant.active_runs + 1, served_at=run.status_since)
    return given


def _next(waiting: dict[str, Tenant]) -> Tenant | None:
    candidates = [tenant for tenant in waiting.values() if tenant.may_start]
    return min(candidates, key=lambda tenant: (tenant.active_runs, tenant.served_at or _NEVER), default=None)


def _serve(giver: SlotGiver, tenant: Tenant, others: set[str], blocked: set[str]) -> Run | None:
    """The tenant's next run with its slot; None where none waits that could have one. Raises SlotRefused.

    A run that somebody else gave its slot in the same moment is added to `others`, and the agent of one that is not
    to be launched now to `blocked`: those behind it that are of other agents need not wait for that.
    """
    run_id = giver.queue.head(tenant.tenant_id, blocked)
    if run_id is None and not blocked:
        giver.queue.settle(tenant.tenant_id)
    if run_id is None or run_id in others:
        return None
    agents: set[str] = set()

    def decide(run: Run) -> Change:
        others.discard(run_id) if run.is_queued else others.add(run_id)
        agents.add(run.agent)
        return Change(run.released(giver.clock.now()), EventType.RUN_RELEASED)

    try:
        run = change_run(
            tenant.tenant_id, run_id, decide, runs=giver.runs, clock=giver.clock, identifiers=giver.identifiers
        )
    except SlotRefused as refused:
        if refused.reason is not SlotRefusal.AGENT_IS_BLOCKED:
            raise
        if agents <= blocked:
            raise SlotRefused(SlotRefusal.TENANT_IS_CLOSED) from refused
        blocked |= agents
        raise
    except RunNotFound:
        logger.exception("a place in the queue is of no run", extra={"run_id": run_id})
        return None
    tell_released(giver, run)
    return run


def tell_released(giver: SlotGiver, run: Run) -> None:
    """Wake the execution of a run that has its slot; where that fails, the sweep does it again."""
    if run.status is not RunStatus.PENDING:
        return
    try:
        release_execution(run, executions=giver.executions, signing_key=giver.signing_key)
    except OutpostError:
        logger.warning("the execution was not told of its slot; the sweep will", extra={"run_id": run.run_id})
