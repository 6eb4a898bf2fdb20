"""Who waits for a slot: places in the queue beside the runs, and an index of the tenants that have any."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_counters import HAS_A_SLOT, TENANT_IS_OPEN
from outpost.adapters.dynamo_items import decode, tenant_key, tenant_partition, text, to_item
from outpost.adapters.dynamo_update import update_one
from outpost.domain.tenant import Tenant, TenantStatus
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

QUEUE_IS_EMPTY = "queued_runs = :zero"


class DynamoQueue:
    """Queues in the jobs table, waiting tenants in the tenants' table."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def head(self, tenant_id: str, without_agents: Collection[str] = ()) -> str | None:
        return next(iter(self._places(tenant_id, sorted(without_agents), most=1)), None)

    def order(self, tenant_id: str) -> tuple[str, ...]:
        return self._places(tenant_id, [], most=None)

    def waiting_tenants(self, limit: int) -> tuple[Tenant, ...]:
        with unavailable_if_it_fails():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._settings.tenants_table,
                IndexName="waiting",
                KeyConditionExpression="waiting = :waiting",
                FilterExpression=f"{TENANT_IS_OPEN} AND {HAS_A_SLOT}",
                ExpressionAttributeNames={"#status": "status", "#plan": "plan"},
                ExpressionAttributeValues=to_item({":waiting": "WAITING", ":active": TenantStatus.ACTIVE}),
                PaginationConfig={"MaxItems": limit},
            )
            return tuple(decode(Tenant, item) for page in pages for item in page["Items"])

    def settle(self, tenant_id: str) -> None:
        update_one(
            self._client,
            {
                "TableName": self._settings.tenants_table,
                "Key": tenant_key(tenant_id),
                "UpdateExpression": "REMOVE waiting",
                "ConditionExpression": QUEUE_IS_EMPTY,
                "ExpressionAttributeValues": to_item({":zero": 0}),
            },
        )

    def _places(self, tenant_id: str, without_agents: list[str], *, most: int | None) -> tuple[str, ...]:
        left_out = {f":agent{number}": agent for number, agent in enumerate(without_agents)}
        request: Any = {
            "TableName": self._settings.jobs_table,
            "KeyConditionExpression": "pk = :tenant AND begins_with(sk, :queue)",
            "ExpressionAttributeValues": to_item(
                {":tenant": tenant_partition(tenant_id), ":queue": "QUEUE#", **left_out}
            ),
            "ConsistentRead": True,
            "PaginationConfig": {} if most is None else {"MaxItems": most, "PageSize": most if not left_out else 100},
        }
        if left_out:
            # The word is reserved in expressions.
            request["ExpressionAttributeNames"] = {"#agent": "agent"}
            request["FilterExpression"] = f"NOT #agent IN ({', '.join(left_out)})"
        with unavailable_if_it_fails():
            pages = self._client.get_paginator("query").paginate(**request)
            return tuple(text(item, "sk").rsplit("#", 1)[1] for page in pages for item in page["Items"])
