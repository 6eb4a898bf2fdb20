"""What the requests of a protocol have where."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from outpost_runner.gateway.prompt import Attachment

Part = Mapping[str, object]


@dataclass(frozen=True)
class RequestForm:
    """Tells the parts of a request apart: every object in it, but for what `free_fields` hold.

    In those stands data of any shape, a schema or what a tool was called with, that the provider does not act upon.
    `find_pointers` names what a part only points at, `is_agents_own` says of a tool that the agent runs it, and
    `output_limits` are the fields that say how long the answer may be, at the top or in one of `settings_fields`.
    """

    free_fields: frozenset[str]
    output_limits: tuple[str, ...]
    is_agents_own: Callable[[Part], bool]
    find_pointers: Callable[[Part], Iterator[str]]
    find_attachments: Callable[[Part], Iterator[Attachment]]
    settings_fields: tuple[str, ...] = ()

    def list_parts(self, fields: Part) -> list[Part]:
        """Without recursion, for a body may be nested deeply."""
        parts: list[Part] = []
        waiting: list[object] = [fields]
        while waiting:
            held = waiting.pop()
            if isinstance(held, dict):
                parts.append(held)
                waiting += filter(_may_hold_parts, (value for name, value in held.items() if self._is_read(name)))
            elif isinstance(held, list):
                waiting += filter(_may_hold_parts, held)
        return parts

    def find_most_output(self, fields: Part) -> int | None:
        """How many tokens the answer may have; None where nothing says so that the provider obeys."""
        settings = [fields.get(name) for name in self.settings_fields] if self.settings_fields else [fields]
        limits = [each.get(name) for each in settings if isinstance(each, dict) for name in self.output_limits]
        return max((limit for limit in limits if type(limit) is int and limit > 0), default=None)

    def _is_read(self, name: str) -> bool:
        return name not in self.free_fields


def list_objects(value: object) -> list[Part]:
    """The objects of a list, or the one that stands in place of a list."""
    items: Iterable[object] = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _may_hold_parts(value: object) -> bool:
    return isinstance(value, dict | list) and len(value) > 0
