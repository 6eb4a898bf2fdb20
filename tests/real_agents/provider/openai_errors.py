"""How OpenAI, and those who speak as it does, put an error."""

from typing import Any

ERRORS = {401: ("invalid_request_error", "invalid_api_key"), 429: ("requests", "rate_limit_exceeded")}


def openai_error(status: int) -> dict[str, Any]:
    kind, code = ERRORS.get(status, ("server_error", None))
    return {"error": {"message": "As scripted.", "type": kind, "param": None, "code": code}}
