"""The update of one item, tried again where it met a transaction: DynamoDB's client does not do that by itself."""

import random
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from outpost.adapters.aws import error_code, unavailable_if_it_fails
from outpost.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TRIES = 12
FIRST_WAIT_SECONDS = 0.02
LONGEST_WAIT_SECONDS = 1.0


def update_one(client: "DynamoDBClient", request: dict[str, Any]) -> dict[str, Any] | None:
    """The attributes that the request asks back; None where its condition did not hold. Raises Unavailable."""
    with unavailable_if_it_fails():
        for attempt in range(TRIES):
            try:
                return dict(client.update_item(**request).get("Attributes", {}))
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    return None
                if error_code(error) != "TransactionConflictException":
                    raise
            # Full jitter: those that met once are not to meet again.
            time.sleep(random.uniform(0, min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**attempt)))  # noqa: S311
    raise Unavailable("the item kept meeting transactions")
