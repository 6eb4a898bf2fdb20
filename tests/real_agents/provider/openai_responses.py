"""OpenAI's Responses."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from ...agents.gateway.dialects import event, responses_usage
from .openai_errors import openai_error
from .protocol import Answer, pieces
from .tools import Tools


class OpenAiResponses:
    def tools(self, body: dict[str, Any]) -> Tools:
        return {tool["name"]: tool["parameters"] for tool in body.get("tools", []) if tool["type"] == "function"}

    def whole(self, answer: Answer) -> dict[str, Any]:
        return {
            "id": f"resp_{answer.number:016}",
            "object": "response",
            "created_at": 0,
            "status": "completed",
            "model": answer.model,
            "output": [_make_item(answer)],
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": responses_usage(answer.tokens),
        }

    def events(self, answer: Answer) -> Iterator[bytes]:
        whole, numbers = self.whole(answer), count()

        def make(name: str, **fields: Any) -> bytes:
            return event({"type": name, "sequence_number": next(numbers), **fields}, name)

        begun = {**whole, "status": "in_progress", "output": [], "usage": None}
        yield make("response.created", response=begun)
        item = whole["output"][0]
        place = {"output_index": 0, "item_id": item["id"]}
        if answer.call is None:
            place["content_index"] = 0
            kind, end, text = "output_text", {"text": answer.text}, answer.text
            yield make("response.output_item.added", output_index=0, item={**item, "content": []})
            part = {"type": "output_text", "text": "", "annotations": []}
            yield make("response.content_part.added", part=part, **place)
        else:
            kind, text = "function_call_arguments", item["arguments"]
            end = {"arguments": text}
            yield make("response.output_item.added", output_index=0, item={**item, "arguments": ""})
        for piece in pieces(text):
            yield make(f"response.{kind}.delta", delta=piece, **place)
        yield make(f"response.{kind}.done", **end, **place)
        yield make("response.output_item.done", output_index=0, item=item)
        yield make("response.completed", response=whole)

    def error(self, status: int) -> dict[str, Any]:
        return openai_error(status)


def _make_item(answer: Answer) -> dict[str, Any]:
    if answer.call is None:
        content = [{"type": "output_text", "text": answer.text, "annotations": []}]
        message = {"type": "message", "id": f"msg_{answer.number:012}", "role": "assistant"}
        return {**message, "status": "completed", "content": content}
    return {
        "type": "function_call",
        "id": f"fc_{answer.number:012}",
        "call_id": f"call_{answer.number:012}",
        "name": answer.call.name,
        "arguments": json.dumps(answer.call.arguments),
        "status": "completed",
    }
