"""Reads of several items at once, which DynamoDB may answer in part."""

import random
import time
from typing import TYPE_CHECKING, Any

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TRIES = 6


def get_all(client: "DynamoDBClient", wanted: list[tuple[str, dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The items of (table, key) that exist, by table, in no order, read consistently. Raises Unavailable."""
    found: dict[str, list[dict[str, Any]]] = {table: [] for table, _ in wanted}
    request: Any = {}
    for table, key in wanted:
        request.setdefault(table, {"Keys": [], "ConsistentRead": True})["Keys"].append(key)
    with unavailable_if_it_fails():
        for attempt in range(TRIES):
            if not request:
                return found
            if attempt:
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 jitter, not a secret
            answer = client.batch_get_item(RequestItems=request)
            for table, items in answer["Responses"].items():
                found[table] += [dict(item) for item in items]
            request = answer.get("UnprocessedKeys")
    if request:
        raise Unavailable("DynamoDB put off a part of the read every time")
    return found
