"""The answer of a function to one event, and why there may be none."""

from dataclasses import dataclass


class FunctionNotFound(Exception):
    """The stack has no function by that name."""


@dataclass(frozen=True)
class Invocation:
    """What one invocation answered: a JSON document, or a JSON error document when `failed`."""

    payload: str
    failed: bool
