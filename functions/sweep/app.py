"""The minute's round over what no event has moved."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from outpost.use_cases.look_after_run import Deed, Sweeper
from outpost.use_cases.settle_promotion import PromotionSweeper, sweep_promotions
from outpost.use_cases.sweep_runs import sweep_runs
from outpost.use_cases.sweep_workspaces import WorkspaceSweeper, sweep_workspaces
from outpost.wiring import Wiring

wiring = Wiring.from_environment()
logger = Logger()
metrics = Metrics(namespace="Outpost")
metrics.set_default_dimensions(environment=wiring.settings.environment)


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001 Lambda's signature
    """How often each deed was done."""
    # These take little and fail for themselves; runs may take all of the time that there is.
    ended = sweep_workspaces(WorkspaceSweeper(wiring.workspaces, wiring.files, wiring.clock, wiring.identifiers))
    promotions = sweep_promotions(promotion_sweeper())
    deeds = sweep_runs(
        Sweeper(
            runs=wiring.runs,
            slots=wiring.slots,
            queue=wiring.queue,
            accounts=wiring.accounts,
            deployments=wiring.deployments,
            tasks=wiring.tasks,
            executions=wiring.executions,
            signing_key=wiring.signing_key,
            clock=wiring.clock,
            identifiers=wiring.identifiers,
        )
    )
    logger.info("swept", extra={"deeds": dict(deeds), "workspaces": dict(ended), "promotions": promotions})
    for deed in (Deed.SLOTS_CORRECTED, Deed.ORPHAN_STOPPED, Deed.BREAKER_SEEN_OPEN, Deed.FAILED):
        metrics.add_metric(name=f"Sweep-{deed}", unit=MetricUnit.Count, value=deeds[deed])
    return dict(deeds)


def promotion_sweeper() -> PromotionSweeper:
    """What a round over the promotions needs."""
    return PromotionSweeper(
        promotions=wiring.promotions,
        executions=wiring.promotion_executions,
        accounts=wiring.accounts,
        deployments=wiring.deployments,
        signing_key=wiring.signing_key,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
