"""Google's GenerateContent."""

from collections.abc import Iterator
from typing import Any

from ...agents.gateway.dialects import event, google_usage
from .protocol import Answer, pieces
from .tools import Tools

ERRORS = {401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


class GoogleGenerateContent:
    def tools(self, body: dict[str, Any]) -> Tools:
        groups = [tool.get("functionDeclarations", []) for tool in body.get("tools", [])]
        return {declared["name"]: _find_schema(declared) for group in groups for declared in group}

    def whole(self, answer: Answer) -> dict[str, Any]:
        return _make_chunk(answer, _make_parts(answer, [answer.text]), is_last=True)

    def events(self, answer: Answer) -> Iterator[bytes]:
        *parts, last = _make_parts(answer, pieces(answer.text))
        for part in parts:
            yield event(_make_chunk(answer, [part], is_last=False))
        yield event(_make_chunk(answer, [last], is_last=True))

    def error(self, status: int) -> dict[str, Any]:
        return {"error": {"code": status, "message": "As scripted.", "status": ERRORS.get(status, "INTERNAL")}}


def _find_schema(declared: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = declared.get("parametersJsonSchema") or declared["parameters"]
    return schema


def _make_parts(answer: Answer, texts: list[str]) -> list[dict[str, Any]]:
    if answer.call is None:
        return [{"text": text} for text in texts]
    return [{"functionCall": {"name": answer.call.name, "args": answer.call.arguments}}]


def _make_chunk(answer: Answer, parts: list[dict[str, Any]], *, is_last: bool) -> dict[str, Any]:
    usage = google_usage(answer.tokens)
    return {
        "candidates": [
            {"index": 0, "content": {"role": "model", "parts": parts}, **({"finishReason": "STOP"} if is_last else {})}
        ],
        "modelVersion": answer.model,
        "responseId": f"response-{answer.number}",
        "usageMetadata": usage if is_last else {"promptTokenCount": usage["promptTokenCount"]},
    }
