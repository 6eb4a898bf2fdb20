"""The events of one run, in their order, from an index that may lag behind."""

from itertools import count, takewhile
from typing import TYPE_CHECKING

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_items import decode, timeline_of, to_item
from outpost.domain.event import Event
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoEvents:
    """Events in the audit table."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._table = settings.audit_table

    def of_run(self, tenant_id: str, run_id: str, *, after: int, limit: int) -> tuple[Event, ...]:
        with unavailable_if_it_fails():
            answer = self._client.query(
                TableName=self._table,
                IndexName="timeline",
                KeyConditionExpression="timeline = :run AND #number > :after",
                ExpressionAttributeNames={"#number": "number"},
                ExpressionAttributeValues=to_item({":run": timeline_of(tenant_id, run_id), ":after": after}),
                Limit=limit,
            )
        found = [decode(Event, item) for item in answer["Items"]]
        in_order = takewhile(lambda pair: pair[0].number == pair[1], zip(found, count(after + 1), strict=False))
        return tuple(event for event, _ in in_order)
