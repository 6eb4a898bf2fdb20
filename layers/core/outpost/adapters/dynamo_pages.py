"""Pages of a tenant's runs: newest first, disjoint, complete, and never empty while there is more."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ulid import ULID

from outpost.adapters.dynamo_items import decode, run_key, tenant_partition, text, to_item
from outpost.domain.run import Run
from outpost.ports import RunFilter, RunPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# DynamoDB filters after it has read: past this many reads a page with at least one run is given as it is.
READS_PER_PAGE = 10
# No run lives longer: a day in the queue, three attempts of a day each, their launches and ends.
LONGEST_LIFE = timedelta(days=5)
CLOCKS_DIFFER = timedelta(minutes=5)
_FIRST, _LAST = "RUN#", "RUN#~"


def query_page(
    client: "DynamoDBClient", table: str, tenant_id: str, wanted: RunFilter, *, before_run_id: str | None, limit: int
) -> RunPage:
    """Up to `limit` runs that match, older than `before_run_id` where it is given."""
    request = _request(table, tenant_id, wanted)
    if "FilterExpression" not in request:
        request["Limit"] = limit + 1
    if before_run_id is not None:
        request["ExclusiveStartKey"] = run_key(tenant_id, before_run_id)
    found: list[Run] = []
    reads = 0
    while True:
        answer = client.query(**request)
        reads += 1
        found.extend(decode(Run, item) for item in answer["Items"])
        if len(found) > limit:
            return RunPage(tuple(found[:limit]), found[limit - 1].run_id)
        if "LastEvaluatedKey" not in answer:
            return RunPage(tuple(found), None)
        if found and reads >= READS_PER_PAGE:
            return RunPage(tuple(found), found[-1].run_id)
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def query_active(client: "DynamoDBClient", table: str, tenant_id: str, now: datetime) -> list[tuple[str, str]]:
    """(run id, status) of the tenant's runs that are not terminal, read consistently: those in the sweep's index."""
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :tenant AND sk BETWEEN :first AND :last",
        FilterExpression="attribute_exists(active_shard)",
        ProjectionExpression="run_id, #status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues=to_item(
            {
                ":tenant": tenant_partition(tenant_id),
                ":first": f"{_FIRST}{lowest_id(now - LONGEST_LIFE)}",
                ":last": _LAST,
            }
        ),
        ConsistentRead=True,
    )
    return [(text(item, "run_id"), text(item, "status")) for page in pages for item in page["Items"]]


def _request(table: str, tenant_id: str, wanted: RunFilter) -> dict[str, Any]:
    names: dict[str, str] = {}
    values: dict[str, Any] = {
        ":tenant": tenant_partition(tenant_id),
        ":first": f"RUN#{max(_lower_bounds(wanted), default='')}",
        ":last": f"RUN#{lowest_id(wanted.until)}" if wanted.until else _LAST,
    }
    conditions = []
    for name, value in (
        ("status", wanted.status),
        ("agent", wanted.agent),
        ("repo", wanted.repo),
        ("batch_id", wanted.batch),
    ):
        if value is not None:
            names[f"#{name}"] = name
            values[f":{name}"] = str(value)
            conditions.append(f"#{name} = :{name}")
    if wanted.parent is not None:
        names |= {"#origin": "origin", "#parent": "parent_run_id"}
        values[":parent"] = wanted.parent
        conditions.append("#origin.#parent = :parent")
    for number, (tag, value) in enumerate(sorted(wanted.tags.items())):
        names |= {"#tags": "tags", f"#tag{number}": tag}
        values[f":tag{number}"] = value
        conditions.append(f"#tags.#tag{number} = :tag{number}")
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "pk = :tenant AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": to_item(values),
        "ScanIndexForward": False,
        "ConsistentRead": True,
    }
    if conditions:
        request |= {"FilterExpression": " AND ".join(conditions), "ExpressionAttributeNames": names}
    return request


def _lower_bounds(wanted: RunFilter) -> Iterator[str]:
    """Ids below which no run can match: what comes of a run or a batch is younger, however clocks differ."""
    if wanted.since is not None:
        yield lowest_id(wanted.since)
    for older in (wanted.parent, wanted.batch):
        with suppress(ValueError):
            yield lowest_id(ULID.from_str(older or "").datetime - CLOCKS_DIFFER)


def lowest_id(at: datetime) -> str:
    """The lowest ULID of a time: run ids carry the time at which the run was accepted."""
    return str(ULID.from_bytes(ULID.from_datetime(at).bytes[:6] + bytes(10)))
