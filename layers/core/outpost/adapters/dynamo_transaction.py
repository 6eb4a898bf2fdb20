"""A DynamoDB transaction that is tried again where it met another one, and says which condition did not hold."""

import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from outpost.adapters.aws import cancellation_reasons, error_code
from outpost.domain.errors import OutpostError, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Twelve seconds on average and at most 24, of the 29 that a request has: what all tenants share is written in turn.
ATTEMPTS = 20
FIRST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 1.5
_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_PASSING_ERRORS = frozenset({"TransactionInProgressException", "ThrottlingException", "RequestLimitExceeded"})


class ConditionFailed(OutpostError):
    """Conditions did not hold, and nothing was written; `found` has the item of each such write, by its place."""

    def __init__(self, found: dict[int, dict[str, Any]]) -> None:
        super().__init__(f"the conditions of the writes {sorted(found)} did not hold")
        self.found = found


def write_transaction(client: "DynamoDBClient", writes: Sequence[dict[str, Any]]) -> None:
    """All of the writes or none. Raises ConditionFailed, Unavailable."""
    for attempt in range(ATTEMPTS):
        try:
            client.transact_write_items(TransactItems=list(writes))  # type: ignore[arg-type]
            return
        except ClientError as error:
            _raise_unless_passing(error)
        except BotoCoreError as error:
            raise Unavailable(type(error).__name__) from error
        # Full jitter: those that met once are not to meet again.
        time.sleep(random.uniform(0, min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**attempt)))  # noqa: S311
    raise Unavailable("the transaction kept meeting others")


def _raise_unless_passing(error: ClientError) -> None:
    if error_code(error) in _PASSING_ERRORS:
        return
    if error_code(error) != "TransactionCanceledException":
        raise Unavailable(error_code(error)) from error
    reasons = cancellation_reasons(error)
    found = {
        place: reason.get("Item", {})
        for place, reason in enumerate(reasons)
        if reason.get("Code") == "ConditionalCheckFailed"
    }
    if found:
        raise ConditionFailed(found) from error
    if not any(reason.get("Code") in _PASSING for reason in reasons):
        raise Unavailable("TransactionCanceledException") from error
