"""Anthropic's Messages."""

import json
from collections.abc import Iterator
from typing import Any

from ...agents.gateway.dialects import anthropic_usage, event
from .protocol import Answer, pieces
from .tools import Tools

ERRORS = {401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}


class AnthropicMessages:
    def tools(self, body: dict[str, Any]) -> Tools:
        return {tool["name"]: tool["input_schema"] for tool in body.get("tools", []) if "input_schema" in tool}

    def whole(self, answer: Answer) -> dict[str, Any]:
        return {
            "id": f"msg_{answer.number:020}",
            "type": "message",
            "role": "assistant",
            "model": answer.model,
            "content": [_make_block(answer)],
            "stop_reason": "tool_use" if answer.call else "end_turn",
            "stop_sequence": None,
            "usage": anthropic_usage(answer.tokens),
        }

    def events(self, answer: Answer) -> Iterator[bytes]:
        whole = self.whole(answer)
        begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
        yield _event("message_start", message=begun)
        block = whole["content"][0]
        empty = {"input": {}} if answer.call else {"text": ""}
        yield _event("content_block_start", index=0, content_block={**block, **empty})
        for delta in _make_deltas(answer):
            yield _event("content_block_delta", index=0, delta=delta)
        yield _event("content_block_stop", index=0)
        end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        yield _event("message_delta", delta=end, usage=whole["usage"])
        yield _event("message_stop")

    def error(self, status: int) -> dict[str, Any]:
        return {"type": "error", "error": {"type": ERRORS.get(status, "api_error"), "message": "As scripted."}}


def _event(name: str, **fields: Any) -> bytes:
    return event({"type": name, **fields}, name)


def _make_block(answer: Answer) -> dict[str, Any]:
    if answer.call is None:
        return {"type": "text", "text": answer.text}
    name, arguments = answer.call.name, answer.call.arguments
    return {"type": "tool_use", "id": f"toolu_{answer.number:020}", "name": name, "input": arguments}


def _make_deltas(answer: Answer) -> list[dict[str, str]]:
    if answer.call is None:
        return [{"type": "text_delta", "text": piece} for piece in pieces(answer.text)]
    arguments = json.dumps(answer.call.arguments)
    return [{"type": "input_json_delta", "partial_json": piece} for piece in pieces(arguments)]
