"""Keys and tenants in DynamoDB."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_items import decode, encode, event_key, tenant_key, timestamp, to_item
from outpost.adapters.dynamo_transaction import ConditionFailed, write_transaction
from outpost.domain.api_key import ApiKey
from outpost.domain.event import Event
from outpost.domain.tenant import Tenant
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

IS_NEW = "attribute_not_exists(pk)"
KEY_IS_NEW = "attribute_not_exists(key_hash)"


class DynamoApiKeys:
    """Keys by the hash of their secret."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._table = settings.api_keys_table

    def find(self, key_hash: str) -> ApiKey | None:
        with unavailable_if_it_fails():
            answer = self._client.get_item(
                TableName=self._table, Key=to_item({"key_hash": key_hash}), ConsistentRead=True
            )
        return decode(ApiKey, answer["Item"]) if "Item" in answer else None


class DynamoAccounts:
    """Tenants and their first keys."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def create_tenant(self, tenant: Tenant, key: ApiKey, events: Sequence[Event]) -> bool:
        writes = [
            self._put(self._settings.tenants_table, encode(tenant), tenant_key(tenant.tenant_id), IS_NEW),
            self._put(self._settings.api_keys_table, _key_attributes(key), {}, KEY_IS_NEW),
            *(
                self._put(self._settings.audit_table, encode(e), event_key(e.tenant_id, e.event_id), IS_NEW)
                for e in events
            ),
        ]
        try:
            write_transaction(self._client, writes)
        except ConditionFailed:
            return False
        return True

    def _put(self, table: str, attributes: dict[str, Any], key: dict[str, Any], condition: str) -> dict[str, Any]:
        return {"Put": {"TableName": table, "Item": to_item(attributes) | key, "ConditionExpression": condition}}


def _key_attributes(key: ApiKey) -> dict[str, Any]:
    attributes = encode(key) | {"scopes": sorted(key.scopes)}
    return attributes if key.expires_at is None else attributes | {"expires_at": timestamp(key.expires_at)}
