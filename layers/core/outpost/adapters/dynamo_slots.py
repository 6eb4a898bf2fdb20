"""The tenants' counters of slots in use, checked against the runs that hold them."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from outpost.adapters.aws import error_code, unavailable_if_it_fails
from outpost.adapters.dynamo_items import decode, tenant_key, tenant_partition, to_item
from outpost.adapters.dynamo_pages import lowest_id
from outpost.domain.tenant import Tenant
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COUNTER_UNCHANGED = "slot_changes = :seen"
# No run lives longer: three attempts of a day each, their launches and ends.
LONGEST_LIFE = timedelta(days=4)
TENANTS_PER_ROUND = 100


class DynamoSlots:
    """Counters in the tenants' items; every taking and freeing of a slot also counts as a change."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def holders(self) -> tuple[str, ...]:
        with unavailable_if_it_fails():
            pages = self._client.get_paginator("scan").paginate(
                TableName=self._settings.tenants_table,
                FilterExpression="sk = :tenant AND active_runs <> :none",
                ExpressionAttributeValues=to_item({":tenant": "TENANT", ":none": 0}),
                PaginationConfig={"MaxItems": TENANTS_PER_ROUND},
            )
            return tuple(decode(Tenant, item).tenant_id for page in pages for item in page["Items"])

    def correct(self, tenant_id: str, now: datetime) -> int:
        tenant = self._tenant(tenant_id)
        if tenant is None:
            return 0
        counted = self._count(tenant_id, now)
        if counted == tenant.active_runs:
            return 0
        with unavailable_if_it_fails():
            try:
                self._client.update_item(
                    TableName=self._settings.tenants_table,
                    Key=tenant_key(tenant_id),
                    UpdateExpression="SET active_runs = :counted",
                    ConditionExpression=COUNTER_UNCHANGED,
                    ExpressionAttributeValues=to_item({":counted": counted, ":seen": tenant.slot_changes}),
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return 0  # slots were taken or freed while they were counted: the next round counts again
        return counted - tenant.active_runs

    def _tenant(self, tenant_id: str) -> Tenant | None:
        with unavailable_if_it_fails():
            answer = self._client.get_item(
                TableName=self._settings.tenants_table, Key=tenant_key(tenant_id), ConsistentRead=True
            )
        return decode(Tenant, answer["Item"]) if "Item" in answer else None

    def _count(self, tenant_id: str, now: datetime) -> int:
        """The tenant's runs that are in the sweep's index, which are those that hold a slot."""
        with unavailable_if_it_fails():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._settings.jobs_table,
                KeyConditionExpression="pk = :tenant AND sk BETWEEN :first AND :last",
                FilterExpression="attribute_exists(active_shard)",
                ExpressionAttributeValues=to_item(
                    {
                        ":tenant": tenant_partition(tenant_id),
                        ":first": f"RUN#{lowest_id(now - LONGEST_LIFE)}",
                        ":last": "RUN#~",
                    }
                ),
                Select="COUNT",
                ConsistentRead=True,
            )
            return sum(page["Count"] for page in pages)
