"""The writes that every transaction is made of: new items, and events."""

from collections.abc import Mapping
from typing import Any

from outpost.adapters.dynamo_items import Item, encode, event_key, timeline_of, to_item
from outpost.domain.event import Event
from outpost.settings import Settings

IS_NEW = "attribute_not_exists(pk)"

Write = dict[str, Any]


def put_new(table: str, key: Item, attributes: Mapping[str, Any], condition: str = IS_NEW) -> Write:
    """Put an item that is not there yet."""
    return {"Put": {"TableName": table, "Item": to_item(attributes) | key, "ConditionExpression": condition}}


def put_event(settings: Settings, event: Event) -> Write:
    """Put an event, beside the change that it tells of."""
    attributes = encode(event)
    if event.run_id is not None and event.number is not None:
        attributes["timeline"] = timeline_of(event.tenant_id, event.run_id)
    return put_new(settings.audit_table, event_key(event.tenant_id, event.event_id), attributes)
