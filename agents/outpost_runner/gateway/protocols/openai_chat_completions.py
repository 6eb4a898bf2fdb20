"""OpenAI Chat Completions, which DeepSeek and xAI speak too.

Usage: https://platform.openai.com/docs/api-reference/chat/object
Streams: https://platform.openai.com/docs/api-reference/chat-streaming
DeepSeek's cache: https://api-docs.deepseek.com/guides/kv_cache
xAI's reasoning: https://docs.x.ai/docs/guides/reasoning
"""

from dataclasses import dataclass

from outpost_runner.gateway.protocols.model_protocol import read_count, read_objects, text_bytes
from outpost_runner.gateway.protocols.openai import divide_prompt, make_form, make_openai_error, read_failure
from outpost_runner.gateway.protocols.request_form import RequestForm
from outpost_runner.gateway.tally import Tally
from outpost_runner.json_fields import Json, JsonObject


@dataclass(frozen=True)
class OpenAiChatCompletions:
    """`prompt_tokens` holds the cached ones, which DeepSeek states as `prompt_cache_hit_tokens`.

    `completion_tokens` holds the reasoning at OpenAI and DeepSeek, and leaves it out at xAI; the total less the prompt
    is the output at all three. A stream states its usage once, near its end, and only when it was asked to.
    """

    form: RequestForm

    def prepare(self, fields: dict[str, object], /) -> bool:
        options = fields.get("stream_options")
        known = options if isinstance(options, dict) else {}
        if not fields.get("stream") or known.get("include_usage") is True:
            return False
        fields["stream_options"] = {**known, "include_usage": True}
        return True

    def read(self, event: JsonObject, tally: Tally) -> None:
        _take(event.optional_object("usage"), tally)
        error = event.optional_object("error")
        if error is not None:
            tally.failure = read_failure(error)
        elif event.optional_text("object") == "chat.completion.chunk":
            for choice in read_objects(event, "choices"):
                tally.output_bytes += _delta_bytes(choice.object("delta"))

    def make_error(self, status: int, message: str) -> Json:
        return make_openai_error(status, message)


def _take(usage: JsonObject | None, tally: Tally) -> None:
    prompt, output = read_count(usage, "prompt_tokens"), read_count(usage, "completion_tokens")
    if usage is None or prompt is None or output is None:
        return
    total = read_count(usage, "total_tokens") or 0
    details = usage.optional_object("prompt_tokens_details")
    hits = read_count(usage, "prompt_cache_hit_tokens")
    tally.stated = divide_prompt(prompt, details, hits, max(output, total - prompt))


def _delta_bytes(delta: JsonObject) -> int:
    arguments = (text_bytes(call.object("function"), "arguments") for call in read_objects(delta, "tool_calls"))
    return text_bytes(delta, "content", "reasoning_content") + sum(arguments)


OPENAI_CHAT_COMPLETIONS = OpenAiChatCompletions(make_form("max_tokens", "max_completion_tokens"))
# The newer name, which DeepSeek does not know, limits nothing there.
DEEPSEEK_CHAT_COMPLETIONS = OpenAiChatCompletions(make_form("max_tokens"))
