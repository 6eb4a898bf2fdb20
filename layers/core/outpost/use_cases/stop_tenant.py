"""Ends a tenant's runs that have compute, as far as one request can; the sweep goes on with the rest."""

from datetime import timedelta

from outpost.domain.errors import OutpostError
from outpost.ports import Clock, Executions, Identifiers, Runs
from outpost.use_cases.cancel_run import KILL_SWITCH_REASON, cancel_run

# A request has 29 seconds in all.
PATIENCE = timedelta(seconds=15)


def stop_tenant(tenant_id: str, *, runs: Runs, executions: Executions, clock: Clock, identifiers: Identifiers) -> int:
    """How many runs were asked to stop; what waits in the queue stays there."""
    gives_up_at = clock.now() + PATIENCE
    stopped = 0
    for run_id in runs.at_work(tenant_id, clock.now()):
        if clock.now() >= gives_up_at:
            return stopped
        try:
            cancel_run(
                tenant_id,
                run_id,
                KILL_SWITCH_REASON,
                runs=runs,
                executions=executions,
                clock=clock,
                identifiers=identifiers,
            )
        except OutpostError:
            continue  # it has ended meanwhile, or the sweep tries again
        stopped += 1
    return stopped
