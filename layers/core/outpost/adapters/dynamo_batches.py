"""Batches in DynamoDB."""

from typing import TYPE_CHECKING

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_items import batch_key, decode, encode, to_item
from outpost.adapters.dynamo_update import update_one
from outpost.domain.batch import Batch
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NO_OTHER_PROMOTED = "attribute_exists(pk) AND (attribute_not_exists(promoted_run_id) OR promoted_run_id = :run_id)"


class DynamoBatches:
    """The records in the table of runs."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._table = settings.jobs_table

    def get(self, tenant_id: str, batch_id: str) -> Batch | None:
        with unavailable_if_it_fails():
            answer = self._client.get_item(
                TableName=self._table, Key=batch_key(tenant_id, batch_id), ConsistentRead=True
            )
        return decode(Batch, answer["Item"]) if "Item" in answer else None

    def put(self, batch: Batch) -> None:
        attributes = {name: value for name, value in encode(batch).items() if name != "promoted_run_id"}
        names = sorted(attributes)
        with unavailable_if_it_fails():
            self._client.update_item(
                TableName=self._table,
                Key=batch_key(batch.tenant_id, batch.batch_id),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in names),
                ExpressionAttributeNames={f"#{name}": name for name in names},
                ExpressionAttributeValues=to_item({f":{name}": attributes[name] for name in names}),
            )

    def note_promotion(self, tenant_id: str, batch_id: str, run_id: str) -> bool:
        update = {
            "TableName": self._table,
            "Key": batch_key(tenant_id, batch_id),
            "UpdateExpression": "SET promoted_run_id = :run_id",
            "ConditionExpression": NO_OTHER_PROMOTED,
            "ExpressionAttributeValues": to_item({":run_id": run_id}),
        }
        return update_one(self._client, update) is not None
