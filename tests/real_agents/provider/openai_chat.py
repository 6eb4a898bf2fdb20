"""OpenAI's Chat Completions, as DeepSeek and xAI speak them too."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ...agents.gateway.dialects import Tokens, event
from .openai_errors import openai_error
from .protocol import Answer, pieces
from .tools import Tools


@dataclass(frozen=True)
class OpenAiChat:
    """`usage` is how the provider states it; DeepSeek does on the last chunk that has a choice."""

    usage: Callable[[Tokens], dict[str, Any]]
    has_usage_beside_choice: bool = False

    def tools(self, body: dict[str, Any]) -> Tools:
        functions = [tool["function"] for tool in body.get("tools") or []]
        return {function["name"]: function["parameters"] for function in functions}

    def whole(self, answer: Answer) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
        if answer.call is not None:
            message["tool_calls"] = [_make_call(answer)]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _find_reason(answer)}
        usage = self.usage(answer.tokens)
        return {**_make_head(answer), "object": "chat.completion", "choices": [choice], "usage": usage}

    def events(self, answer: Answer) -> Iterator[bytes]:
        head = {**_make_head(answer), "object": "chat.completion.chunk"}

        def make(delta: dict[str, Any], reason: str | None = None, **fields: Any) -> bytes:
            return event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **fields})

        usage = {"usage": self.usage(answer.tokens)}
        yield make({"role": "assistant", "content": None if answer.call else ""})
        for delta in _make_deltas(answer):
            yield make(delta)
        if self.has_usage_beside_choice:
            yield make({}, _find_reason(answer), **usage)
        else:
            yield make({}, _find_reason(answer))
            yield event({**head, "choices": [], **usage})
        yield b"data: [DONE]\n\n"

    def error(self, status: int) -> dict[str, Any]:
        return openai_error(status)


def _make_head(answer: Answer) -> dict[str, Any]:
    return {"id": f"chatcmpl-{answer.number:016}", "created": 0, "model": answer.model}


def _find_reason(answer: Answer) -> str:
    return "tool_calls" if answer.call else "stop"


def _make_call(answer: Answer) -> dict[str, Any]:
    assert answer.call is not None
    function = {"name": answer.call.name, "arguments": json.dumps(answer.call.arguments)}
    return {"id": f"call_{answer.number:012}", "type": "function", "function": function}


def _make_deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.call is None:
        yield from ({"content": piece} for piece in pieces(answer.text))
        return
    call = _make_call(answer)
    function = call["function"]
    yield {"tool_calls": [{"index": 0, **call, "function": {**function, "arguments": ""}}]}
    for piece in pieces(function["arguments"]):
        yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
