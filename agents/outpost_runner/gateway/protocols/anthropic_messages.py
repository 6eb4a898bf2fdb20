"""Anthropic Messages.

Usage and errors: https://docs.anthropic.com/en/api/messages and https://docs.anthropic.com/en/api/errors
Streams: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

import re
from collections.abc import Iterator
from http import HTTPStatus

from outpost_runner.gateway.prompt import Attachment
from outpost_runner.gateway.protocols.model_protocol import read_count, text_bytes
from outpost_runner.gateway.protocols.request_form import Part, RequestForm
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
# The others are the address of a file, and the name of one that was stored before.
WHOLE_SOURCES = ("base64", "text", "content")

BILLING_ERROR = "billing_error"
# What is said of a field begins with its name, which may be any text of the agent's, and has a colon after it.
USED_UP_ACCOUNT = re.compile(r"Your credit balance is too low[^:]*")


def _is_agents_own(tool: Part) -> bool:
    return OWN_TOOLS.fullmatch(str(tool.get("type", "custom"))) is not None


def _find_pointers(part: Part) -> Iterator[str]:
    source = part.get("source")
    if isinstance(source, dict) and source.get("type") not in WHOLE_SOURCES:
        yield f"the source {source.get('type')}"


def _find_attachments(part: Part) -> Iterator[Attachment]:
    content = part.get("data")
    if part.get("type") == "base64" and isinstance(content, str):
        yield Attachment(str(part.get("media_type")), len(content))


class AnthropicMessages:
    """`input_tokens` leaves out both cache figures; `output_tokens` holds the thinking too.

    A stream states the prompt in message_start, with a provisional output; each message_delta states sums so far, of
    which any may be left out.
    """

    form = RequestForm(
        free_fields=frozenset({"input", "input_schema", "input_examples", "schema", "metadata"}),
        output_limits=("max_tokens",),
        is_agents_own=_is_agents_own,
        find_pointers=_find_pointers,
        find_attachments=_find_attachments,
    )

    def prepare(self, _fields: dict[str, object], /) -> bool:
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
            tally.failure = name_failure(event.object("error"))

    def make_error(self, status: int, message: str) -> Json:
        kind = ERROR_TYPES.get(status, "invalid_request_error")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            kind = "api_error"
        return {"type": "error", "error": {"type": kind, "message": message}}


def name_failure(error: JsonObject) -> str | None:
    """The provider's word for what went wrong; it calls an account without credit a wrong request."""
    is_used_up = USED_UP_ACCOUNT.fullmatch(error.optional_text("message") or "")
    return BILLING_ERROR if is_used_up else error.optional_text("type")


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
