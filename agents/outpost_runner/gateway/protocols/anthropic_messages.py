"""Anthropic Messages.

Usage and errors: https://docs.anthropic.com/en/api/messages and https://docs.anthropic.com/en/api/errors
Streams: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

import re
from http import HTTPStatus

from outpost_runner.gateway.protocols.extras import Tool, require_tokens_only
from outpost_runner.gateway.protocols.model_protocol import read_count, text_bytes
from outpost_runner.gateway.tally import Tally
from outpost_runner.gateway.usage import Usage
from outpost_runner.json_fields import Json, JsonObject

ERROR_TYPES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.NOT_FOUND: "not_found_error",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_too_large",
}
# Others are run by the provider. A search among the tools of a request costs its tokens alone.
OWN_TOOLS = re.compile(r"custom|(bash|text_editor|computer|memory|tool_search_tool)_\w+")


class AnthropicMessages:
    """`input_tokens` leaves out both cache figures; `output_tokens` holds the thinking too.

    A stream states the prompt in message_start, with a provisional output; each message_delta states sums so far, of
    which any may be left out.
    """

    def prepare(self, fields: dict[str, object], /) -> bool:
        require_tokens_only(fields, _is_agents_own)
        return False

    def read(self, event: JsonObject, tally: Tally) -> None:
        kind = event.optional_text("type")
        if kind in ("message", "message_delta"):
            _take(event.optional_object("usage"), tally)
        elif kind == "message_start":
            _take(event.object("message").optional_object("usage"), tally)
        elif kind == "content_block_delta":
            tally.output_bytes += text_bytes(event.object("delta"), "text", "thinking", "partial_json")
        elif kind == "message_stop":
            tally.is_complete = True
        elif kind == "error":
            tally.failure = event.object("error").text("type")

    def make_error(self, status: int, message: str) -> Json:
        kind = ERROR_TYPES.get(status, "invalid_request_error")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            kind = "api_error"
        return {"type": "error", "error": {"type": kind, "message": message}}


def _is_agents_own(tool: Tool) -> bool:
    return OWN_TOOLS.fullmatch(str(tool.get("type", "custom"))) is not None


def _take(usage: JsonObject | None, tally: Tally) -> None:
    if usage is None:
        return
    before = tally.stated or Usage()

    def latest(name: str, known: int) -> int:
        count = read_count(usage, name)
        return known if count is None else count

    tally.stated = Usage(
        latest("input_tokens", before.input_tokens),
        latest("cache_read_input_tokens", before.cached_input_tokens),
        latest("cache_creation_input_tokens", before.cache_write_tokens),
        latest("output_tokens", before.output_tokens),
    )


ANTHROPIC_MESSAGES = AnthropicMessages()
