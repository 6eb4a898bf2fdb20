"""Google GenerateContent.

Usage and streams: https://ai.google.dev/api/generate-content#UsageMetadata
Errors: https://ai.google.dev/gemini-api/docs/troubleshooting
"""

from http import HTTPStatus

from outpost_runner.gateway.protocols.extras import Tool, require_tokens_only
from outpost_runner.gateway.protocols.model_protocol import read_count, read_objects, text_bytes
from outpost_runner.gateway.tally import Tally
from outpost_runner.gateway.usage import Usage
from outpost_runner.json_fields import Json, JsonObject

STATUS_NAMES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.BAD_GATEWAY: "UNAVAILABLE",
    HTTPStatus.GATEWAY_TIMEOUT: "DEADLINE_EXCEEDED",
}
FUNCTIONS = {"functionDeclarations", "function_declarations"}


class GoogleGenerateContent:
    """`promptTokenCount` holds the cached ones, `candidatesTokenCount` leaves the thoughts out; each chunk of a stream
    states the sums so far, so that the last one counts.
    """

    def prepare(self, fields: dict[str, object], /) -> bool:
        require_tokens_only(fields, _is_agents_own)
        return False

    def read(self, event: JsonObject, tally: Tally) -> None:
        usage = event.optional_object("usageMetadata")
        if usage is not None:
            _take(usage, tally)
        error = event.optional_object("error")
        if error is not None:
            tally.failure = error.optional_text("status")
        for candidate in read_objects(event, "candidates"):
            tally.output_bytes += _candidate_bytes(candidate)
            tally.is_complete = tally.is_complete or candidate.optional_text("finishReason") is not None

    def make_error(self, status: int, message: str) -> Json:
        return {
            "error": {"code": status, "message": message, "status": STATUS_NAMES.get(status, "INVALID_ARGUMENT")},
        }


def _is_agents_own(tool: Tool) -> bool:
    return tool.keys() <= FUNCTIONS


def _take(usage: JsonObject, tally: Tally) -> None:
    prompt, cached, tools, candidates, thoughts = (
        read_count(usage, name) or 0
        for name in (
            "promptTokenCount",
            "cachedContentTokenCount",
            "toolUsePromptTokenCount",
            "candidatesTokenCount",
            "thoughtsTokenCount",
        )
    )
    tally.stated = Usage(max(0, prompt - cached) + tools, cached, 0, candidates + thoughts)


def _candidate_bytes(candidate: JsonObject) -> int:
    content = candidate.optional_object("content")
    parts = [] if content is None else read_objects(content, "parts")
    return sum(text_bytes(part, "text") for part in parts)


GOOGLE_GENERATE_CONTENT = GoogleGenerateContent()
