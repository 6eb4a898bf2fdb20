"""Google GenerateContent.

Usage and streams: https://ai.google.dev/api/generate-content#UsageMetadata
Errors: https://ai.google.dev/gemini-api/docs/troubleshooting
"""

from collections.abc import Iterator
from http import HTTPStatus

from outpost_runner.gateway.prompt import Attachment
from outpost_runner.gateway.protocols.model_protocol import read_count, read_objects, text_bytes
from outpost_runner.gateway.protocols.request_form import Part, RequestForm
from outpost_runner.gateway.tally import Tally
from outpost_runner.gateway.usage import Usage
from outpost_runner.json_fields import Json, JsonObject

STATUS_NAMES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.BAD_GATEWAY: "UNAVAILABLE",
    HTTPStatus.GATEWAY_TIMEOUT: "DEADLINE_EXCEEDED",
}
# Each field has two names.
FUNCTIONS = {"functionDeclarations", "function_declarations"}
POINTERS = ("fileData", "file_data", "cachedContent", "cached_content")
INLINE_DATA = ("inlineData", "inline_data")
FREE_FIELDS = frozenset(
    {
        *("args", "response", "parameters", "parametersJsonSchema", "parameters_json_schema"),
        *("responseSchema", "response_schema", "responseJsonSchema", "response_json_schema"),
    }
)


def _is_agents_own(tool: Part) -> bool:
    return tool.keys() <= FUNCTIONS


def _find_pointers(part: Part) -> Iterator[str]:
    yield from (name for name in POINTERS if part.get(name))


def _find_attachments(part: Part) -> Iterator[Attachment]:
    for blob in (part.get(name) for name in INLINE_DATA):
        if isinstance(blob, dict) and isinstance(blob.get("data"), str):
            yield Attachment(str(blob.get("mimeType") or blob.get("mime_type")), len(blob["data"]))


class GoogleGenerateContent:
    """`promptTokenCount` holds the cached ones, `candidatesTokenCount` leaves the thoughts out; each chunk of a stream
    states the sums so far, so that the last one counts.
    """

    form = RequestForm(
        free_fields=FREE_FIELDS,
        output_limits=("maxOutputTokens", "max_output_tokens"),
        settings_fields=("generationConfig", "generation_config"),
        is_agents_own=_is_agents_own,
        find_pointers=_find_pointers,
        find_attachments=_find_attachments,
    )

    def prepare(self, _fields: dict[str, object], /) -> bool:
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
