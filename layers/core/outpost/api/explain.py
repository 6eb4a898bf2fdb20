"""Why a run is where it is, with what only its tenant and the deployment know of it."""

from outpost.api.application import Reply
from outpost.api.views import explanation_view
from outpost.domain.explain import Surroundings, explain
from outpost.domain.tenant import Tenant
from outpost.use_cases.find_results import require_run
from outpost.wiring import Wiring

LAST_LINES = 10


def explanation_reply(tenant: Tenant, run_id: str, wiring: Wiring) -> Reply:
    """The explanation of the tenant's run. Raises RunNotFound."""
    run = require_run(tenant.tenant_id, run_id, runs=wiring.runs)
    surroundings = None
    if not run.status.is_terminal:
        queue = wiring.queue.order(run.tenant_id) if run.is_queued else ()
        position = queue.index(run_id) + 1 if run_id in queue else None
        surroundings = Surroundings(tenant, wiring.deployments.get(), position)
    lines = wiring.agent_logs.tail(run.agent, run.task_arn, limit=LAST_LINES) if run.task_arn else ()
    return Reply(explanation_view(run, explain(run, wiring.clock.now(), surroundings), lines))
