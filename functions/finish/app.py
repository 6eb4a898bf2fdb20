"""The three roads of evidence that end a run: the machine, ECS's events, the execution's events."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from outpost.adapters.testimony import read_testimony
from outpost.api.finish import finished_view, no_run_view
from outpost.use_cases.hear_testimony import hear_testimony
from outpost.wiring import Wiring

wiring = Wiring.from_environment()
logger = Logger()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, object]:  # noqa: ARG001 Lambda's signature
    """The run's status after the evidence, for the machine to mirror."""
    testimony = read_testimony(event)
    if testimony is None:
        return no_run_view()
    run = hear_testimony(
        testimony,
        runs=wiring.runs,
        tasks=wiring.tasks,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    logger.info("heard", extra={"runId": run.run_id, "status": run.status})
    return finished_view(run, testimony.evidence.attempt, wiring.signing_key)
