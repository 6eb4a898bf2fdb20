"""Keys in DynamoDB, for whoever manages them: each in a table of its own, with a pointer at its tenant."""

from typing import TYPE_CHECKING, Any

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_batch import get_all
from outpost.adapters.dynamo_counters import Counters
from outpost.adapters.dynamo_items import (
    decode,
    encode,
    key_pointer_key,
    tenant_key,
    text,
    timestamp,
    to_item,
)
from outpost.adapters.dynamo_listing import list_items
from outpost.adapters.dynamo_transaction import ConditionFailed, write_transaction
from outpost.adapters.dynamo_update import update_one
from outpost.adapters.dynamo_writes import Write, put_event, put_new
from outpost.domain.api_key import ApiKey, KeyStatus
from outpost.domain.errors import TenantSuspended, Unavailable
from outpost.domain.event import Event
from outpost.domain.tenant import Tenant, TenantStatus
from outpost.ports import KeyPage
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY_IS_NEW = "attribute_not_exists(key_hash)"
KEY_UNCHANGED = "#status = :active AND attribute_not_exists(replaced_by)"
# A key in its grace has a successor, and is revoked like any other.
KEY_IS_ACTIVE = "#status = :active"
COPY_IS_OLDER = "plan_revision < :plan_revision"
# How many items DynamoDB reads in one batch.
BATCH = 100
PLAN_CHANGES = 5


class DynamoKeyring:
    """The keys of tenants."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def get(self, tenant_id: str, key_id: str) -> ApiKey | None:
        pointer = self._get(self._settings.tenants_table, key_pointer_key(tenant_id, key_id))
        if pointer is None:
            return None
        item = self._get(self._settings.api_keys_table, {"key_hash": pointer["key_hash"]})
        return decode(ApiKey, item) if item else None

    def page(self, tenant_id: str, *, before_key_id: str | None, limit: int) -> KeyPage:
        after = None if before_key_id is None else key_pointer_key(tenant_id, before_key_id)
        table = self._settings.tenants_table
        items = list_items(self._client, table, tenant_id, "KEY#", after=after, limit=limit + 1, is_ascending=False)
        hashes = [text(item, "key_hash") for item in items[:limit]]
        wanted = [(self._settings.api_keys_table, to_item({"key_hash": key_hash})) for key_hash in hashes]
        found = get_all(self._client, wanted).get(self._settings.api_keys_table, [])
        keys = {text(item, "key_hash"): decode(ApiKey, item) for item in found}
        last = text(items[limit - 1], "sk").removeprefix("KEY#") if len(items) > limit else None
        return KeyPage(tuple(keys[key_hash] for key_hash in hashes if key_hash in keys), last)

    def create(self, key: ApiKey, event: Event) -> None:
        if not self._record(key, [put_event(self._settings, event)]):
            raise Unavailable("the tenant's plan kept changing")

    def rotate(self, before: ApiKey, after: ApiKey, successor: ApiKey, event: Event) -> bool:  # noqa: ARG002 the port's
        return self._record(successor, [self._update(after, KEY_UNCHANGED), put_event(self._settings, event)])

    def revoke(self, before: ApiKey, after: ApiKey, event: Event) -> bool:  # noqa: ARG002 the port's
        try:
            write_transaction(self._client, [self._update(after, KEY_IS_ACTIVE), put_event(self._settings, event)])
        except ConditionFailed:
            return False
        return True

    def refresh_copies(self, tenant: Tenant) -> None:
        """Give the tenant's keys its plan. A copy that stays old costs a dispatch one more call, no more."""
        last = None
        while True:
            page = self.page(tenant.tenant_id, before_key_id=last, limit=BATCH - 1)
            for key in page.keys:
                if key.status is KeyStatus.ACTIVE:
                    self._refresh_copy(key, tenant)
            last = page.last_key_id
            if last is None:
                return

    def writes_of(self, key: ApiKey, tenant: Tenant) -> list[Write]:
        """What records a key: itself with its copy of the plan, and its pointer."""
        attributes = encode(key) | {"scopes": sorted(key.scopes), **_copy_of_plan(tenant)}
        if key.expires_at is not None:
            attributes["expires_at"] = timestamp(key.expires_at)
        pointer = key_pointer_key(key.tenant_id, key.key_id)
        return [
            put_new(self._settings.api_keys_table, {}, attributes, KEY_IS_NEW),
            put_new(self._settings.tenants_table, pointer, {"key_hash": key.key_hash}),
        ]

    def _record(self, key: ApiKey, others: list[Write]) -> bool:
        """Record a key with the plan that its tenant has in this moment; False where one of the others did not hold."""
        for _ in range(PLAN_CHANGES):
            tenant = self._tenant(key.tenant_id)
            check = Counters(self._settings).require_tenant_active(key.tenant_id, tenant.plan_revision)
            try:
                write_transaction(self._client, [check, *self.writes_of(key, tenant), *others])
            except ConditionFailed as failed:
                if 0 not in failed.found:
                    return False
            else:
                return True
        return False

    def _update(self, after: ApiKey, condition: str) -> Write:
        assigned = {
            ":status": str(after.status),
            ":active": "ACTIVE",
            **({":expires_at": timestamp(after.expires_at)} if after.expires_at else {}),
            **({":replaced_by": after.replaced_by} if after.replaced_by else {}),
        }
        expression = "SET #status = :status"
        expression += ", expires_at = :expires_at" if after.expires_at else ""
        expression += ", replaced_by = :replaced_by" if after.replaced_by else ""
        return {
            "Update": {
                "TableName": self._settings.api_keys_table,
                "Key": to_item({"key_hash": after.key_hash}),
                "UpdateExpression": expression,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": to_item(assigned),
            }
        }

    def _refresh_copy(self, key: ApiKey, tenant: Tenant) -> None:
        copy = _copy_of_plan(tenant)
        request = {
            "TableName": self._settings.api_keys_table,
            "Key": to_item({"key_hash": key.key_hash}),
            "UpdateExpression": "SET #plan = :plan, plan_revision = :plan_revision",
            "ConditionExpression": COPY_IS_OLDER,
            "ExpressionAttributeNames": {"#plan": "plan"},
            "ExpressionAttributeValues": to_item({f":{name}": value for name, value in copy.items()}),
        }
        update_one(self._client, request)

    def _tenant(self, tenant_id: str) -> Tenant:
        item = self._get(self._settings.tenants_table, tenant_key(tenant_id))
        tenant = decode(Tenant, item) if item else None
        if tenant is None or tenant.status is not TenantStatus.ACTIVE:
            raise TenantSuspended
        return tenant

    def _get(self, table: str, key: dict[str, Any]) -> dict[str, Any] | None:
        with unavailable_if_it_fails():
            return self._client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")


def _copy_of_plan(tenant: Tenant) -> dict[str, Any]:
    return {"plan": encode(tenant)["plan"], "plan_revision": tenant.plan_revision}
