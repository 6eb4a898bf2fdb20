"""Typed reading of JSON that comes from outside."""

import json
from collections.abc import Mapping, Sequence

TYPE_NAMES = {dict: "an object", list: "a list", str: "text", int: "a whole number", bool: "true or false"}

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


class MalformedJson(Exception):
    """The text is not JSON, or a field of it is absent or of another type."""


class JsonObject:
    """A JSON object whose fields are read by type; `where` names it in errors."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise MalformedJson(f"{where} is not an object.")
        self._fields: dict[object, object] = value
        self._where = where

    @classmethod
    def parse(cls, text: bytes, where: str) -> "JsonObject":
        try:
            value = json.loads(text)
        except ValueError as error:
            raise MalformedJson(f"{where} is not JSON.") from error
        return cls(value, where)

    def text(self, name: str) -> str:
        value = self._fields.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, str)
        return value

    def integer(self, name: str) -> int:
        value = self._fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name, int)
        return value

    def optional_text(self, name: str) -> str | None:
        return None if self._fields.get(name) is None else self.text(name)

    def optional_integer(self, name: str) -> int | None:
        return None if self._fields.get(name) is None else self.integer(name)

    def text_list(self, name: str) -> list[str]:
        value = self._fields.get(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(name, list)
        return list(value)

    def truth(self, name: str, *, default: bool) -> bool:
        value = self._fields.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, bool)
        return value

    def object(self, name: str) -> "JsonObject":
        return JsonObject(self._fields.get(name), f"{self._where}.{name}")

    def optional_object(self, name: str) -> "JsonObject | None":
        return None if self._fields.get(name) is None else self.object(name)

    def objects(self, name: str) -> list["JsonObject"]:
        value = self._fields.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, list)
        return [JsonObject(item, f"{self._where}.{name}[{index}]") for index, item in enumerate(value)]

    def texts(self) -> dict[str, str]:
        """All fields, when each of them is text."""
        names = [name for name in self._fields if isinstance(name, str)]
        return {name: self.text(name) for name in names}

    def _wrong(self, name: str, kind: type) -> MalformedJson:
        return MalformedJson(f"{self._where}.{name} is not {TYPE_NAMES[kind]}.")
