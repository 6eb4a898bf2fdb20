"""Keys in DynamoDB, for whoever calls with one: counted and read in one write, remembered, confirmed in one read."""

from typing import TYPE_CHECKING, Any

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_batch import get_all
from outpost.adapters.dynamo_items import decode, tenant_key, timestamp, to_item
from outpost.adapters.dynamo_update import update_one
from outpost.adapters.remembered_keys import Lease, RememberedKeys
from outpost.domain.api_key import ApiKey
from outpost.domain.tenant import Tenant
from outpost.ports import KeyUse, Terms
from outpost.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

KEY_EXISTS = "attribute_exists(key_hash)"
# One window is left behind each time that a key rests; a few of them cost less than a write to remove each.
WINDOWS_LEFT = 5


class DynamoApiKeys:
    """The keys' table, and beside it the tenants'."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._remembered = RememberedKeys(settings.requests_per_minute)

    def use(self, key_hash: str, now: "datetime") -> KeyUse | None:
        remembered = self._remembered.use(key_hash, now)
        if remembered is not None:
            return remembered
        lease = self._remembered.next_lease(key_hash, now)
        item = self._take(lease, now)
        if item is None:
            return None
        left_over = sorted(name for name in item if _is_past(name, lease))
        if len(left_over) >= WINDOWS_LEFT:
            self._update(key_hash, "REMOVE ", left_over, {})
        taken = int(item[lease.attribute]["N"])
        return self._remembered.take(lease, decode(ApiKey, item), decode(Terms, item), taken)

    def confirm(self, use: KeyUse) -> tuple[ApiKey, Tenant] | None:
        if not use.is_fresh:
            return self.find(use.key)
        key = tenant_key(use.key.tenant_id)
        with unavailable_if_it_fails():
            answer = self._client.get_item(TableName=self._settings.tenants_table, Key=key, ConsistentRead=True)
        return (use.key, decode(Tenant, answer["Item"])) if "Item" in answer else None

    def find(self, key: ApiKey) -> tuple[ApiKey, Tenant] | None:
        tables = self._settings.api_keys_table, self._settings.tenants_table
        keys = to_item({"key_hash": key.key_hash}), tenant_key(key.tenant_id)
        found = get_all(self._client, list(zip(tables, keys, strict=True)))
        if not all(found.values()):
            return None
        return decode(ApiKey, found[tables[0]][0]), decode(Tenant, found[tables[1]][0])

    def forget(self, key_hash: str) -> None:
        self._remembered.forget(key_hash)

    def _take(self, lease: Lease, now: "datetime") -> dict[str, Any] | None:
        values = {":size": lease.size, ":now": timestamp(now)}
        expression = f"SET last_used_at = :now ADD {lease.attribute} :size"
        if lease.left_over:
            expression += " REMOVE "
        return self._update(lease.key_hash, expression, list(lease.left_over), values)

    def _update(
        self, key_hash: str, expression: str, removed: list[str], values: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The item after the update; None where there is none."""
        request: dict[str, Any] = {
            "TableName": self._settings.api_keys_table,
            "Key": to_item({"key_hash": key_hash}),
            "UpdateExpression": expression + ", ".join(removed),
            "ConditionExpression": KEY_EXISTS,
            "ReturnValues": "ALL_NEW",
        }
        if values:
            request["ExpressionAttributeValues"] = to_item(values)
        return update_one(self._client, request)


def _is_past(name: str, lease: Lease) -> bool:
    """Whether the attribute counts a minute that no clock is at any more."""
    return name.startswith("taken_") and int(name.removeprefix("taken_")) < lease.window - 1
