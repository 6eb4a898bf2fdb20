"""What the API answers by itself: AWS's defaults, or what the template says instead.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

import json
from collections.abc import Iterable

from outpost_local.api_event import ApiAnswer
from outpost_local.template import GatewayResponse

_SERVER_ERROR = 500
_DEFAULTS = {
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    # A function that fails or answers nonsense; it has no response type of its own.
    "BAD_GATEWAY": (502, "Internal server error"),
}


class GatewayResponses:
    """The template's answers by type; DEFAULT_4XX and DEFAULT_5XX stand in for types that it does not name."""

    def __init__(self, responses: Iterable[GatewayResponse]) -> None:
        self._responses = {response.response_type: response for response in responses}

    def render(self, response_type: str, request_id: str) -> ApiAnswer:
        status, message = _DEFAULTS[response_type]
        fallback = "DEFAULT_5XX" if status >= _SERVER_ERROR else "DEFAULT_4XX"
        response = self._responses.get(response_type) or self._responses.get(fallback)
        if response is None:
            body = json.dumps({"message": message}, separators=(",", ":"))
            return ApiAnswer(status, (("Content-Type", "application/json"), *_trace(request_id)), body.encode())
        values = {
            "$context.requestId": request_id,
            "$context.error.messageString": json.dumps(message),
            "$context.error.message": message,
            "$context.error.responseType": response_type,
        }
        headers = {"Content-Type": "application/json"} | {
            name: _render_header(value, values) for name, value in response.headers.items()
        }
        body = _substitute(response.body, values)
        return ApiAnswer(response.status_code or status, (*headers.items(), *_trace(request_id)), body.encode())


def _trace(request_id: str) -> tuple[tuple[str, str], ...]:
    return (("x-amzn-RequestId", request_id),)


def _render_header(value: str, values: dict[str, str]) -> str:
    """Either a 'literal' in quotes or the name of a context variable."""
    return value[1:-1] if value.startswith("'") else values.get(f"${value}", "")


def _substitute(text: str, values: dict[str, str]) -> str:
    # Longest first: one name begins another.
    for name in sorted(values, key=len, reverse=True):
        text = text.replace(name, values[name])
    return text
