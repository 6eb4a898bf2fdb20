"""What operators do under IAM: tenants, plans, recovered keys, and the deployment's kill switch."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from outpost.api.operate import operate
from outpost.wiring import Wiring

wiring = Wiring.from_environment()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, object]:  # noqa: ARG001 Lambda's signature
    """The answer to one operation."""
    return operate(event, wiring)
