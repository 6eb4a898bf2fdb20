"""The records of tenants' secrets in DynamoDB, each counted by an item of its tenant's. No value comes here."""

from typing import TYPE_CHECKING, Any

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_items import decode, encode, secret_count_key, secret_key, to_item
from outpost.adapters.dynamo_listing import list_items
from outpost.adapters.dynamo_transaction import ConditionFailed, write_transaction
from outpost.adapters.dynamo_writes import Write, put_event, put_new
from outpost.domain.event import Event
from outpost.domain.secret import MOST_SECRETS, Secret, secrets_full
from outpost.ports import SecretPage
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RECORD_UNCHANGED = "revision = :seen_revision"
SECRETS_LEFT = "(attribute_not_exists(secrets) OR secrets < :most_secrets)"


class DynamoTenantSecrets:
    """The records."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def get(self, tenant_id: str, name: str) -> Secret | None:
        table, key = self._settings.tenants_table, secret_key(tenant_id, name)
        with unavailable_if_it_fails():
            item = self._client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return decode(Secret, item) if item else None

    def page(self, tenant_id: str, *, after_name: str | None, limit: int) -> SecretPage:
        after = None if after_name is None else secret_key(tenant_id, after_name)
        table = self._settings.tenants_table
        items = list_items(self._client, table, tenant_id, "SECRET#", after=after, limit=limit + 1, is_ascending=True)
        found = tuple(decode(Secret, item) for item in items[:limit])
        return SecretPage(found, found[-1].name if len(items) > limit else None)

    def record(self, before: Secret | None, after: Secret, event: Event) -> bool:
        key = secret_key(after.tenant_id, after.name)
        if before is not None:
            put = {"Item": to_item(encode(after)) | key, **self._if_unchanged(before)}
            return self._write({"Put": put}, event)
        return self._write(put_new(self._settings.tenants_table, key, encode(after)), event, self._count(after, 1))

    def remove(self, before: Secret, event: Event) -> bool:
        delete = {"Key": secret_key(before.tenant_id, before.name), **self._if_unchanged(before)}
        return self._write({"Delete": delete}, event, self._count(before, -1))

    def _write(self, change: Write, event: Event, *others: Write) -> bool:
        """Whether the change was written; it is the first, so that what the others met can be told from it."""
        try:
            write_transaction(self._client, [change, put_event(self._settings, event), *others])
        except ConditionFailed as failed:
            if 0 in failed.found:
                return False
            raise secrets_full(MOST_SECRETS) from failed
        return True

    def _if_unchanged(self, before: Secret) -> dict[str, Any]:
        return {
            "TableName": self._settings.tenants_table,
            "ConditionExpression": RECORD_UNCHANGED,
            "ExpressionAttributeValues": to_item({":seen_revision": before.revision}),
        }

    def _count(self, secret: Secret, change: int) -> Write:
        """Count one more, where there may be one more; or one less."""
        values = {":change": change}
        update: dict[str, Any] = {
            "TableName": self._settings.tenants_table,
            "Key": secret_count_key(secret.tenant_id),
            "UpdateExpression": "ADD secrets :change",
        }
        if change > 0:
            update["ConditionExpression"] = SECRETS_LEFT
            values[":most_secrets"] = MOST_SECRETS
        return {"Update": {**update, "ExpressionAttributeValues": to_item(values)}}
