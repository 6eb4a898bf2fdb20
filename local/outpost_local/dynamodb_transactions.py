"""Lets moto undo a transaction by its own items: it copies whole tables for every write of one, however large."""

import copy
from typing import Any

from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from outpost_local.patching import Patches


class _CopyWithoutTables:
    """The module `copy`, but that a table is its own copy."""

    @staticmethod
    def deepcopy(value: Any) -> Any:
        return value if isinstance(value, Table) else copy.deepcopy(value)

    copy = staticmethod(copy.copy)


def bridge_transactions(patches: Patches) -> None:
    """Until the patches are undone, a transaction costs what its items cost, and fails without a trace as before."""
    transact = DynamoDBBackend.transact_write_items

    def transact_and_undo(self: Any, transact_items: list[dict[str, Any]]) -> None:
        before = [_remember(self, write) for item in transact_items for write in item.values()]
        try:
            transact(self, transact_items)
        except Exception:
            for items, place, item in before:
                items.pop(place, None)
                if item is not None:
                    items[place] = item
            raise

    patches.set_attribute(models, "copy", _CopyWithoutTables)
    patches.set_attribute(DynamoDBBackend, "transact_write_items", transact_and_undo)


def _remember(backend: Any, write: dict[str, Any]) -> tuple[dict[Any, Any], Any, Any]:
    """Where the item of a write lies, and what it is before; None where there is none."""
    table = backend.get_table(write["TableName"])
    key = write.get("Key") or write["Item"]
    items, place = table.items, DynamoType(key[table.hash_key_attr])
    if table.has_range_key:
        items, place = items[place], DynamoType(key[table.range_key_attr])
    return items, place, copy.deepcopy(items.get(place))
