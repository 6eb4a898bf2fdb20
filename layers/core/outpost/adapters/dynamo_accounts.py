"""Tenants in DynamoDB, as operators and their own administrators set them up."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_items import (
    decode,
    encode,
    tenant_key,
    to_item,
    usage_key,
)
from outpost.adapters.dynamo_keyring import DynamoKeyring
from outpost.adapters.dynamo_transaction import ConditionFailed, write_transaction
from outpost.adapters.dynamo_writes import put_event, put_new
from outpost.domain.admission import Allowance, Usage
from outpost.domain.api_key import ApiKey
from outpost.domain.errors import Unavailable
from outpost.domain.event import Event
from outpost.domain.tenant import Tenant
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TENANT_UNCHANGED = "plan_revision = :seen_revision AND #status = :seen_status"
# The attributes that a change may touch: the counters are not for anybody to set.
_CHANGEABLE = ("name", "status", "suspended_reason", "plan", "plan_revision", "kill_switch")


logger = logging.getLogger(__name__)


class DynamoAccounts:
    """Tenants and their first keys."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._keyring = DynamoKeyring(client, settings)

    def create_tenant(self, tenant: Tenant, key: ApiKey, events: Sequence[Event]) -> bool:
        writes = [
            put_new(self._settings.tenants_table, tenant_key(tenant.tenant_id), encode(tenant)),
            *self._keyring.writes_of(key, tenant),
            *(put_event(self._settings, event) for event in events),
        ]
        try:
            write_transaction(self._client, writes)
        except ConditionFailed:
            return False
        return True

    def get(self, tenant_id: str) -> Tenant | None:
        item = self._get(tenant_key(tenant_id))
        return decode(Tenant, item) if item else None

    def page(self, *, after_tenant_id: str | None, limit: int) -> tuple[tuple[Tenant, ...], str | None]:
        request: dict[str, Any] = {
            "TableName": self._settings.tenants_table,
            "FilterExpression": "sk = :tenant",
            "ExpressionAttributeValues": to_item({":tenant": "TENANT"}),
        }
        if after_tenant_id is not None:
            request["ExclusiveStartKey"] = tenant_key(after_tenant_id)
        found: list[Tenant] = []
        with unavailable_if_it_fails():
            while True:
                answer = self._client.scan(**request)
                found += [decode(Tenant, item) for item in answer["Items"]]
                if len(found) > limit:
                    return tuple(found[:limit]), found[limit - 1].tenant_id
                if "LastEvaluatedKey" not in answer:
                    return tuple(found), None
                request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def change(self, before: Tenant, after: Tenant, event: Event) -> bool:
        try:
            write_transaction(self._client, [{"Update": self._update(before, after)}, put_event(self._settings, event)])
        except ConditionFailed:
            return False
        return True

    def refresh_copies(self, tenant: Tenant) -> None:
        try:
            self._keyring.refresh_copies(tenant)
        except Unavailable:
            logger.warning("copies of a plan stay old; setting the plan again mends them")

    def usage(self, tenant_id: str, allowance: Allowance) -> Usage:
        item = self._get(usage_key(tenant_id, allowance.period.name, allowance.key_id))
        return decode(Usage, item) if item else Usage()

    def _update(self, before: Tenant, after: Tenant) -> dict[str, Any]:
        old, new = encode(before), encode(after)
        changed = [name for name in _CHANGEABLE if name in new and new[name] != old.get(name)]
        removed = [name for name in _CHANGEABLE if name in old and name not in new]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in changed) if changed else ""
        if removed:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
        values = {f":{name}": new[name] for name in changed}
        return {
            "TableName": self._settings.tenants_table,
            "Key": tenant_key(after.tenant_id),
            "UpdateExpression": expression,
            "ConditionExpression": TENANT_UNCHANGED,
            "ExpressionAttributeNames": {f"#{name}": name for name in (*changed, *removed, "status")},
            "ExpressionAttributeValues": to_item(
                values | {":seen_revision": before.plan_revision, ":seen_status": str(before.status)}
            ),
        }

    def _get(self, key: dict[str, Any]) -> dict[str, Any] | None:
        with unavailable_if_it_fails():
            return self._client.get_item(TableName=self._settings.tenants_table, Key=key, ConsistentRead=True).get(
                "Item"
            )
