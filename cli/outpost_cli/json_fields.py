"""Reading typed fields out of a JSON object that somebody else wrote."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]
Item = TypeVar("Item")


class FieldMismatch(ValueError):
    """A field is missing or of another type than the contract says."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"the field {name} is not {expected}")


def drop_absent(fields: JsonObject) -> JsonObject:
    """What is to be sent: a field that nothing was said about is left out."""
    return {name: value for name, value in fields.items() if value is not None}


def read_optional_object(document: JsonObject, name: str) -> JsonObject | None:
    value = document.get(name)
    if value is not None and not isinstance(value, dict):
        raise FieldMismatch(name, "an object")
    return value


def read_object(document: JsonObject, name: str) -> JsonObject:
    value = read_optional_object(document, name)
    if value is None:
        raise FieldMismatch(name, "an object")
    return value


def read_text(document: JsonObject, name: str) -> str:
    value = read_optional_text(document, name)
    if value is None:
        raise FieldMismatch(name, "a text")
    return value


def read_optional_text(document: JsonObject, name: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise FieldMismatch(name, "a text")
    return value


def read_integer(document: JsonObject, name: str) -> int:
    value = read_optional_integer(document, name)
    if value is None:
        raise FieldMismatch(name, "a whole number")
    return value


def read_optional_integer(document: JsonObject, name: str) -> int | None:
    value = document.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise FieldMismatch(name, "a whole number")
    return value


def read_optional_number(document: JsonObject, name: str) -> float | None:
    value = document.get(name)
    if value is not None and (not isinstance(value, (int, float)) or isinstance(value, bool)):
        raise FieldMismatch(name, "a number")
    return value


def read_number(document: JsonObject, name: str) -> float:
    value = read_optional_number(document, name)
    if value is None:
        raise FieldMismatch(name, "a number")
    return value


def read_optional_flag(document: JsonObject, name: str) -> bool | None:
    value = document.get(name)
    if value is not None and not isinstance(value, bool):
        raise FieldMismatch(name, "true or false")
    return value


def read_flag(document: JsonObject, name: str) -> bool:
    """A missing flag is false."""
    return bool(read_optional_flag(document, name))


def read_optional_moment(document: JsonObject, name: str) -> datetime | None:
    """An RFC 3339 time as an aware one."""
    text = read_optional_text(document, name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FieldMismatch(name, "an RFC 3339 time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_moment(document: JsonObject, name: str) -> datetime:
    moment = read_optional_moment(document, name)
    if moment is None:
        raise FieldMismatch(name, "an RFC 3339 time")
    return moment


def read_list(document: JsonObject, name: str, read_item: Callable[[JsonObject], Item]) -> tuple[Item, ...]:
    value = document.get(name)
    if not isinstance(value, list):
        raise FieldMismatch(name, "a list")
    return tuple(read_item(as_object(name, entry)) for entry in value)


def read_optional_list(document: JsonObject, name: str, read_item: Callable[[JsonObject], Item]) -> tuple[Item, ...]:
    """A missing list is empty."""
    return () if document.get(name) is None else read_list(document, name, read_item)


def read_texts(document: JsonObject, name: str) -> tuple[str, ...]:
    value = read_optional_texts(document, name)
    if value is None:
        raise FieldMismatch(name, "a list of texts")
    return value


def read_optional_texts(document: JsonObject, name: str) -> tuple[str, ...] | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise FieldMismatch(name, "a list of texts")
    return tuple(str(entry) for entry in value)


def read_text_pairs(document: JsonObject, name: str) -> tuple[tuple[str, str], ...]:
    """An object of texts, like tags; missing is empty."""
    pairs = read_optional_object(document, name) or {}
    return tuple((key, read_text(pairs, key)) for key in pairs)


def as_object(name: str, value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise FieldMismatch(name, "an object")
    return value
