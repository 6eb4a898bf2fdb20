"""Gives back what the machine brings, or refuses it."""

from typing import Any


class Refused(Exception):
    """Asked for by the note."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if event["note"] == "refuse":
        raise Refused("It was asked for.")
    return event
