"""Promotions in DynamoDB, beside the runs that they are of."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_items import decode, encode, promotion_key, text, timestamp, to_item
from outpost.adapters.dynamo_transaction import ConditionFailed, write_transaction
from outpost.adapters.dynamo_writes import IS_NEW, Write, put_event
from outpost.domain.event import Event
from outpost.domain.promotion import PROMOTION_SHARD, Promotion
from outpost.ports import PromotionChangedMeanwhile
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PROMOTION_UNCHANGED = "revision = :seen_revision"


class DynamoPromotions:
    """The records in the table of runs."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def get(self, tenant_id: str, run_id: str) -> Promotion | None:
        key = promotion_key(tenant_id, run_id)
        with unavailable_if_it_fails():
            answer = self._client.get_item(TableName=self._settings.jobs_table, Key=key, ConsistentRead=True)
        return decode(Promotion, answer["Item"]) if "Item" in answer else None

    def create(self, promotion: Promotion, event: Event) -> None:
        put = put_promotion(self._settings, promotion)
        put["Put"]["ConditionExpression"] = IS_NEW
        self._write(put, event)

    def save(self, before: Promotion, after: Promotion, event: Event | None) -> Promotion:
        written = replace(after, revision=before.revision + 1)
        put = put_promotion(self._settings, written)
        put["Put"]["ConditionExpression"] = PROMOTION_UNCHANGED
        put["Put"]["ExpressionAttributeValues"] = to_item({":seen_revision": before.revision})
        self._write(put, event)
        return written

    def due(self, at: datetime, limit: int) -> tuple[tuple[str, str], ...]:
        with unavailable_if_it_fails():
            answer = self._client.query(
                TableName=self._settings.jobs_table,
                IndexName="active",
                KeyConditionExpression="active_shard = :shard AND check_at <= :at",
                ExpressionAttributeValues=to_item({":shard": PROMOTION_SHARD, ":at": timestamp(at)}),
                Limit=limit,
            )
        keys = [(text(item, "pk"), text(item, "sk")) for item in answer["Items"]]
        return tuple((pk.removeprefix("TENANT#"), sk.removeprefix("PROMOTION#")) for pk, sk in keys)

    def _write(self, put: Write, event: Event | None) -> None:
        writes = [put] if event is None else [put, put_event(self._settings, event)]
        try:
            write_transaction(self._client, writes)
        except ConditionFailed as failed:
            raise PromotionChangedMeanwhile from failed


def put_promotion(settings: Settings, promotion: Promotion) -> Write:
    """The promotion as it is to be.

    It has no condition of its own: beside a run's end there is nothing to meet, and nothing may hold that up.
    """
    attributes: dict[str, Any] = encode(promotion) | {"check_at": timestamp(promotion.check_at)}
    if promotion.shard is not None:
        attributes["active_shard"] = promotion.shard
    item = to_item(attributes) | promotion_key(promotion.tenant_id, promotion.run_id)
    return {"Put": {"TableName": settings.jobs_table, "Item": item}}
