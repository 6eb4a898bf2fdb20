"""Refuses what costs beside a call's tokens, or more than they do: a provider's own tools, speed, several answers."""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus

from outpost_runner.gateway.refusals import Refused

Tool = Mapping[str, object]
# A prompt that is stored at the provider brings tools that nobody sees here.
CHARGED_FIELDS = ("web_search_options", "search_parameters", "speed", "inference_geo", "prompt")
PRICED_TIERS = (None, "auto", "default", "standard_only")


def require_tokens_only(fields: Tool, is_agents_own: Callable[[Tool], bool]) -> None:
    """`is_agents_own` says of a tool that the agent runs it. Raises Refused."""
    charged = [name for name in CHARGED_FIELDS if fields.get(name)]
    if fields.get("service_tier") not in PRICED_TIERS:
        charged.append("service_tier")
    if any(count not in (None, 1) for count in _find_counts(fields)):
        charged.append("more than one answer")
    charged += [f"the tool {tool.get('type', '')}" for tool in _find_tools(fields) if not is_agents_own(tool)]
    if charged:
        what = ", ".join(charged)[:200]
        raise Refused(HTTPStatus.BAD_REQUEST, f"The gateway lets nothing through that costs beside the tokens: {what}.")


def _find_counts(fields: Tool) -> Iterator[object]:
    yield fields.get("n")
    for settings in (fields.get("generationConfig"), fields.get("generation_config")):
        if isinstance(settings, dict):
            yield from (settings.get(name) for name in ("candidateCount", "candidate_count"))


def _find_tools(holder: Tool) -> Iterator[Tool]:
    """Tools are given at the top, in groups of their own, or among the input of a response."""
    for tool in _objects(holder.get("tools")):
        yield tool
        yield from _find_tools(tool)
    for item in _objects(holder.get("input")):
        yield from _find_tools(item)


def _objects(value: object) -> Iterator[Tool]:
    items = value if isinstance(value, list) else [value]
    return (item for item in items if isinstance(item, dict))
