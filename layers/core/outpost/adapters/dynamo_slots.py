"""The counters of slots in use and of waiting runs, checked against the runs themselves."""

import random
from datetime import datetime
from typing import TYPE_CHECKING

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_deployments import DynamoDeployments
from outpost.adapters.dynamo_items import (
    Item,
    decode,
    deployment_key,
    tenant_key,
    to_item,
)
from outpost.adapters.dynamo_pages import query_active
from outpost.adapters.dynamo_update import update_one
from outpost.domain.run import RunStatus
from outpost.domain.tenant import Tenant
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COUNTER_UNCHANGED = "slot_changes = :seen"
TENANTS_PER_ROUND = 100


class DynamoSlots:
    """Counters in the items of tenants and deployment; every change of a counter also counts as a change."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def holders(self) -> tuple[str, ...]:
        tenants = self._tenants("sk = :tenant AND (active_runs <> :zero OR queued_runs <> :zero)", {":zero": 0})
        # Others in each round, where there are more than one round can count.
        chosen = random.sample(tenants, min(TENANTS_PER_ROUND, len(tenants)))
        return tuple(tenant.tenant_id for tenant in chosen)

    def correct(self, tenant_id: str, now: datetime) -> int:
        with unavailable_if_it_fails():
            answer = self._client.get_item(
                TableName=self._settings.tenants_table, Key=tenant_key(tenant_id), ConsistentRead=True
            )
        if "Item" not in answer:
            return 0
        tenant = decode(Tenant, answer["Item"])
        active, queued = self._count(tenant_id, now)
        drift = abs(active - tenant.active_runs) + abs(queued - tenant.queued_runs)
        counted = {"active_runs": active, "queued_runs": queued}
        return drift if drift and self._set(tenant_key(tenant_id), counted, tenant.slot_changes) else 0

    def correct_deployment(self) -> int:
        deployment = DynamoDeployments(self._client, self._settings).get()
        counted = sum(tenant.active_runs for tenant in self._tenants("sk = :tenant", {}))
        drift = abs(counted - deployment.active_runs)
        return drift if drift and self._set(deployment_key(), {"active_runs": counted}, deployment.slot_changes) else 0

    def _set(self, key: Item, counted: dict[str, int], seen: int) -> bool:
        """Whether the counters were set: not where slots were taken or freed while they were counted."""
        request = {
            "TableName": self._settings.tenants_table,
            "Key": key,
            "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in counted),
            "ConditionExpression": COUNTER_UNCHANGED,
            "ExpressionAttributeValues": to_item(
                {":seen": seen, **{f":{name}": count for name, count in counted.items()}}
            ),
        }
        return update_one(self._client, request) is not None

    def _tenants(self, expression: str, values: dict[str, int]) -> list[Tenant]:
        with unavailable_if_it_fails():
            pages = self._client.get_paginator("scan").paginate(
                TableName=self._settings.tenants_table,
                FilterExpression=expression,
                ExpressionAttributeValues=to_item({":tenant": "TENANT", **values}),
                ConsistentRead=True,
            )
            return [decode(Tenant, item) for page in pages for item in page["Items"]]

    def _count(self, tenant_id: str, now: datetime) -> tuple[int, int]:
        """How many of the tenant's runs hold a slot, and how many wait; all of them are in the sweep's index."""
        with unavailable_if_it_fails():
            active = query_active(self._client, self._settings.jobs_table, tenant_id, now)
        statuses = [status for _, status in active]
        queued = statuses.count(RunStatus.QUEUED)
        return len(statuses) - queued, queued
