"""Lets moto write DynamoDB's values as they are: it looks for each of ten kinds in every value, under every spelling.

More than a third of a function's time on the embedded AWS went into that.
"""

from collections.abc import Mapping
from typing import Any

from moto.core.serialize import BaseJSONSerializer

from outpost_local.patching import Patches

VALUE = "AttributeValue"


def bridge_answers(patches: Patches) -> None:
    """Until the patches are undone, a value is written in one step; what is not of a known form as before."""
    serialize = BaseJSONSerializer._serialize_type_structure

    def serialize_at_once(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if key and shape.name == VALUE:
            try:
                self._default_serialize(serialized, write_value(value), shape, key)
                return
            except _FormUnknown:
                pass
        serialize(self, serialized, value, shape, key)

    patches.set_attribute(BaseJSONSerializer, "_serialize_type_structure", serialize_at_once)


class _FormUnknown(Exception):
    """Not one of the forms that this module knows."""


def write_value(value: object) -> dict[str, Any]:
    """The value as JSON has it."""
    if not isinstance(value, Mapping) or len(value) != 1:
        raise _FormUnknown
    ((kind, content),) = value.items()
    return {kind: _write_content(kind, content)}


def _write_content(kind: str, content: Any) -> Any:
    match kind:
        case "S" | "N":
            return str(content)
        case "BOOL" | "NULL":
            return content
        case "M":
            return {name: write_value(each) for name, each in content.items()}
        case "L":
            return [write_value(each) for each in content]
        case _:
            raise _FormUnknown
