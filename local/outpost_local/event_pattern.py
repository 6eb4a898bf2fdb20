"""EventBridge's event patterns, as far as rules here use them.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
"""

from typing import Any


class UnsupportedPattern(Exception):
    """A matching operator that the local stack does not know."""


def matches_pattern(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """True when every field that the pattern names has one of the values listed for it."""
    return all(_matches_field(wanted, event, name) for name, wanted in pattern.items())


def _matches_field(wanted: Any, event: dict[str, Any], name: str) -> bool:
    if isinstance(wanted, dict):
        value = event.get(name)
        return isinstance(value, dict) and matches_pattern(wanted, value)
    values = event.get(name) if isinstance(event.get(name), list) else [event.get(name)]
    return any(
        _matches_value(candidate, value, present=name in event) for candidate in wanted for value in values or [None]
    )


def _matches_value(wanted: Any, value: Any, *, present: bool) -> bool:
    if not isinstance(wanted, dict):
        return present and bool(wanted == value)
    operator, operand = next(iter(wanted.items()))
    if operator == "exists":
        return bool(operand) == present
    if operator == "prefix":
        return isinstance(value, str) and value.startswith(operand)
    if operator == "anything-but":
        refused = operand if isinstance(operand, list) else [operand]
        return present and value not in refused
    raise UnsupportedPattern(f"The local stack does not know the pattern operator {operator}.")
