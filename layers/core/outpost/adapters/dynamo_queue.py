"""Who waits for a slot: places in the queue beside the runs, and an index of the tenants that have any."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from outpost.adapters.aws import error_code, unavailable_if_it_fails
from outpost.adapters.dynamo_counters import HAS_A_SLOT, TENANT_IS_OPEN
from outpost.adapters.dynamo_items import decode, tenant_key, tenant_partition, text, to_item
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

    def head(self, tenant_id: str) -> str | None:
        return next(iter(self._places(tenant_id, most=1)), None)

    def order(self, tenant_id: str) -> tuple[str, ...]:
        return self._places(tenant_id, most=None)

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
        with unavailable_if_it_fails():
            try:
                self._client.update_item(
                    TableName=self._settings.tenants_table,
                    Key=tenant_key(tenant_id),
                    UpdateExpression="REMOVE waiting",
                    ConditionExpression=QUEUE_IS_EMPTY,
                    ExpressionAttributeValues=to_item({":zero": 0}),
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise

    def _places(self, tenant_id: str, *, most: int | None) -> tuple[str, ...]:
        with unavailable_if_it_fails():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._settings.jobs_table,
                KeyConditionExpression="pk = :tenant AND begins_with(sk, :queue)",
                ExpressionAttributeValues=to_item({":tenant": tenant_partition(tenant_id), ":queue": "QUEUE#"}),
                ProjectionExpression="sk",
                ConsistentRead=True,
                PaginationConfig={} if most is None else {"MaxItems": most, "PageSize": most},
            )
            return tuple(text(item, "sk").rsplit("#", 1)[1] for page in pages for item in page["Items"])
