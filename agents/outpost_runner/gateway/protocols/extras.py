"""Refuses what costs beside a call's tokens, or more than they do: a provider's own tools, speed, several answers."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus

from outpost_runner.gateway.protocols.request_form import Part, RequestForm, list_objects
from outpost_runner.gateway.refusals import Refused

# A prompt that is stored at the provider brings tools that nobody sees here; servers and containers are its own to run.
CHARGED_FIELDS = (
    *("web_search_options", "search_parameters", "speed", "inference_geo", "prompt"),
    *("mcp_servers", "container"),
)
TIER_FIELDS = ("service_tier", "serviceTier")
PRICED_TIERS = (None, "auto", "default", "standard", "standard_only")
GOOGLE_SETTINGS = ("generationConfig", "generation_config")
GOOGLE_COUNTS = ("candidateCount", "candidate_count")


def require_tokens_only(fields: Part, parts: Iterable[Part], form: RequestForm) -> None:
    """`parts` are those of the whole request. Raises Refused."""
    charged = [name for name in CHARGED_FIELDS if fields.get(name)]
    charged += [name for name in TIER_FIELDS if fields.get(name) not in PRICED_TIERS]
    if any(count not in (None, 1) for count in _find_counts(fields)):
        charged.append("more than one answer")
    tools = (tool for part in parts for tool in list_objects(part.get("tools")))
    charged += [f"the tool {tool.get('type', '')}" for tool in tools if not form.is_agents_own(tool)]
    if charged:
        what = ", ".join(charged)[:200]
        raise Refused(HTTPStatus.BAD_REQUEST, f"The gateway lets nothing through that costs beside the tokens: {what}.")


def _find_counts(fields: Part) -> Iterator[object]:
    yield fields.get("n")
    for settings in (fields.get(name) for name in GOOGLE_SETTINGS):
        if isinstance(settings, dict):
            yield from (settings.get(name) for name in GOOGLE_COUNTS)
