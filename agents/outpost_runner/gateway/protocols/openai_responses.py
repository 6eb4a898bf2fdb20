"""OpenAI Responses, which xAI speaks too.

Usage: https://platform.openai.com/docs/api-reference/responses/object
Streams: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from outpost_runner.gateway.protocols.model_protocol import read_count, text_bytes
from outpost_runner.gateway.protocols.openai import divide_prompt, make_form, make_openai_error, read_failure
from outpost_runner.gateway.tally import Tally
from outpost_runner.json_fields import Json, JsonObject

LAST_EVENTS = ("response.completed", "response.incomplete", "response.failed")


class OpenAiResponses:
    """`input_tokens` holds the cached ones, `output_tokens` the reasoning; a stream states both in its last event."""

    form = make_form("max_output_tokens")

    def prepare(self, _fields: dict[str, object], /) -> bool:
        return False

    def read(self, event: JsonObject, tally: Tally) -> None:
        kind = event.optional_text("type")
        if kind is None:
            _take(event, tally)
        elif kind in LAST_EVENTS:
            tally.is_complete = True
            _take(event.object("response"), tally)
        elif kind == "error":
            tally.failure = read_failure(event.optional_object("error") or event)
        elif kind.endswith(".delta"):
            tally.output_bytes += text_bytes(event, "delta")

    def make_error(self, status: int, message: str) -> Json:
        return make_openai_error(status, message)


def _take(response: JsonObject, tally: Tally) -> None:
    usage = response.optional_object("usage")
    prompt, output = read_count(usage, "input_tokens"), read_count(usage, "output_tokens")
    if usage is not None and prompt is not None and output is not None:
        tally.stated = divide_prompt(prompt, usage.optional_object("input_tokens_details"), None, output)
    error = response.optional_object("error")
    if error is not None:
        tally.failure = read_failure(error)


OPENAI_RESPONSES = OpenAiResponses()
