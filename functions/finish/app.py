"""The roads of evidence that end a run, and the executions that wait for a slot."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from outpost.api.finish import hear
from outpost.wiring import Wiring

wiring = Wiring.from_environment()
logger = Logger()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, object]:  # noqa: ARG001 Lambda's signature
    """The run's status after the evidence, for the machine to mirror."""
    answer = hear(event, wiring)
    logger.info("heard", extra={"runId": answer["runId"], "status": answer["status"]})
    return answer
