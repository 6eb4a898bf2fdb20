"""What OpenAI's two protocols share: how a prompt's tokens divide, and how an error looks.

Prompt caching: https://platform.openai.com/docs/guides/prompt-caching
Errors: https://platform.openai.com/docs/guides/error-codes
"""

from http import HTTPStatus

from outpost_runner.gateway.protocols.extras import Tool
from outpost_runner.gateway.protocols.model_protocol import read_count
from outpost_runner.gateway.usage import Usage
from outpost_runner.json_fields import Json, JsonObject

ERROR_CODES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "invalid_api_key",
    HTTPStatus.NOT_FOUND: "not_found",
}
# Others are run by the provider; a namespace holds tools of its own.
OWN_TOOLS = ("function", "custom", "namespace", "local_shell", "apply_patch")


def is_agents_own(tool: Tool) -> bool:
    return tool.get("type") in OWN_TOOLS


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
