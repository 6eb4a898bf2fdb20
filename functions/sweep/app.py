"""The minute's round over what no event has moved."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from outpost.use_cases.sweep_runs import Sweeper, sweep_runs
from outpost.wiring import Wiring

wiring = Wiring.from_environment()
logger = Logger()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001 Lambda's signature
    """How often each deed was done."""
    deeds = sweep_runs(
        Sweeper(
            runs=wiring.runs,
            tasks=wiring.tasks,
            executions=wiring.executions,
            signing_key=wiring.signing_key,
            clock=wiring.clock,
            identifiers=wiring.identifiers,
        )
    )
    logger.info("swept", extra={"deeds": dict(deeds)})
    return dict(deeds)
