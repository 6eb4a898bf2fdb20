"""Replaces parts of moto while a stack is up, and puts them back."""

from typing import Any

_ABSENT: Any = object()


class Patches:
    """Attributes and mapping entries that were replaced, undone in reverse order."""

    def __init__(self) -> None:
        self._attributes: list[tuple[Any, str, Any]] = []
        self._entries: list[tuple[dict[Any, Any], Any, Any]] = []

    def set_attribute(self, target: Any, name: str, value: Any) -> None:
        # vars() and not getattr(): a static method has to come back as a static method.
        self._attributes.append((target, name, vars(target).get(name, _ABSENT)))
        setattr(target, name, value)

    def set_entry(self, target: dict[Any, Any], key: Any, value: Any) -> None:
        self._entries.append((target, key, target.get(key, _ABSENT)))
        target[key] = value

    def undo(self) -> None:
        while self._attributes:
            target, name, value = self._attributes.pop()
            if value is _ABSENT:
                delattr(target, name)
            else:
                setattr(target, name, value)
        while self._entries:
            mapping, key, value = self._entries.pop()
            if value is _ABSENT:
                mapping.pop(key, None)
            else:
                mapping[key] = value
