"""What OpenAI's two protocols share: what a request has where, how a prompt's tokens divide, and how an error looks.

Prompt caching: https://platform.openai.com/docs/guides/prompt-caching
Errors: https://platform.openai.com/docs/guides/error-codes
"""

from collections.abc import Iterator
from http import HTTPStatus

from outpost_runner.gateway.prompt import Attachment
from outpost_runner.gateway.protocols.model_protocol import read_count
from outpost_runner.gateway.protocols.request_form import Part, RequestForm
from outpost_runner.gateway.usage import Usage
from outpost_runner.json_fields import Json, JsonObject

ERROR_CODES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "invalid_api_key",
    HTTPStatus.NOT_FOUND: "not_found",
}
# Others are run by the provider; a namespace holds tools of its own.
OWN_TOOLS = ("function", "custom", "namespace", "local_shell", "apply_patch")
FREE_FIELDS = frozenset({"parameters", "schema", "arguments", "env", "metadata", "client_metadata"})
POINTERS = ("previous_response_id", "conversation", "file_id", "file_url")
# An item that says nothing else stands for what the provider has stored under its id: reasoning, of which the request
# has the summary only, or any other item.
STORED_ITEM_FIELDS = {"id", "type", "status", "summary"}
DATA_URL = "data:"
LONGEST_MEDIA_TYPE = 100


def make_form(*output_limits: str) -> RequestForm:
    """The form of requests whose answers these fields limit; not every provider obeys the same."""
    return RequestForm(FREE_FIELDS, output_limits, _is_agents_own, _find_pointers, _find_attachments)


def _is_agents_own(tool: Part) -> bool:
    return tool.get("type") in OWN_TOOLS


def _find_pointers(part: Part) -> Iterator[str]:
    yield from (name for name in POINTERS if part.get(name))
    url = _read_url(part.get("image_url"))
    if url and not url.startswith(DATA_URL):
        yield "image_url"
    items = part.get("input")
    if isinstance(items, list) and any(map(_is_stored_item, items)):
        yield "an item by its id"


def _find_attachments(part: Part) -> Iterator[Attachment]:
    image, audio = _read_url(part.get("image_url")), part.get("input_audio")
    spoken = audio.get("data") if isinstance(audio, dict) else None
    for content in (image, part.get("file_data"), spoken):
        if isinstance(content, str):
            yield Attachment(_read_media_type(content), len(content))


def _is_stored_item(item: object) -> bool:
    if not isinstance(item, dict):
        return False
    said = {name for name, value in item.items() if value}
    return item.get("type") == "item_reference" or ("id" in said and said <= STORED_ITEM_FIELDS)


def _read_url(image: object) -> str | None:
    """One protocol has the URL itself, the other an object with it."""
    url = image.get("url") if isinstance(image, dict) else image
    return url if isinstance(url, str) else None


def _read_media_type(content: str) -> str:
    """As a data URL begins with it (RFC 2397); none of content that is not in one."""
    beginning = content[: len(DATA_URL) + LONGEST_MEDIA_TYPE]
    return beginning.removeprefix(DATA_URL).partition(";")[0] if beginning.startswith(DATA_URL) else ""


def divide_prompt(prompt: int, details: JsonObject | None, cached_beside: int | None, output: int) -> Usage:
    """The prompt's figure holds what was read from the cache and what was written to it; the details say how much.

    `cached_beside` is a provider's own field for the former, which counts where the details have none.
    """
    cached = read_count(details, "cached_tokens") or cached_beside or 0
    written = read_count(details, "cache_write_tokens") or 0
    return Usage(max(0, prompt - cached - written), cached, written, output)


def make_openai_error(status: int, message: str) -> Json:
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": ERROR_CODES.get(status)}}


def read_failure(error: JsonObject) -> str | None:
    """The provider's word for what went wrong: the code, or the type where there is no code."""
    return error.optional_text("code") or error.optional_text("type")
