"""What the providers say, in each protocol, of one answer's text and tokens."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TEXT = "What the model says."


@dataclass(frozen=True)
class Tokens:
    """Of one answer, each counted once; the protocols add them up differently."""

    fresh: int = 0
    cached: int = 0
    written: int = 0
    visible: int = 0
    reasoning: int = 0

    @property
    def prompt(self) -> int:
        return self.fresh + self.cached + self.written

    @property
    def output(self) -> int:
        return self.visible + self.reasoning


@dataclass(frozen=True)
class Dialect:
    """One protocol as one provider speaks it; `events` makes a stream, each item of it one event."""

    provider: str
    model: str
    path: str
    stream_path: str
    body: dict[str, Any]
    whole: Callable[[Tokens, str], dict[str, Any]]
    events: Callable[[Tokens, str], list[bytes]]

    def request(self, *, stream: bool, **fields: Any) -> dict[str, Any]:
        asks = {"stream": True} if stream and self.path == self.stream_path else {}
        return {**self.body, **asks, **fields}

    def path_for(self, *, stream: bool) -> str:
        return self.stream_path if stream else self.path


def event(data: dict[str, Any], name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def anthropic_usage(tokens: Tokens) -> dict[str, int]:
    return {
        "input_tokens": tokens.fresh,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation_input_tokens": tokens.written,
        "output_tokens": tokens.output,
    }


def anthropic_whole(tokens: Tokens, text: str) -> dict[str, Any]:
    content = [{"type": "text", "text": text}]
    return {"type": "message", "role": "assistant", "content": content, "usage": anthropic_usage(tokens)}


def anthropic_events(tokens: Tokens, text: str) -> list[bytes]:
    """As the provider does: a provisional output at the start, sums so far in the deltas, without the prompt's."""
    begun = {**anthropic_usage(tokens), "output_tokens": 1}
    delta = {"type": "text_delta", "text": text}
    return [
        event({"type": "message_start", "message": {"type": "message", "usage": begun}}, "message_start"),
        event({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta"),
        event({"type": "ping"}, "ping"),
        event({"type": "message_delta", "usage": {"output_tokens": tokens.visible}}, "message_delta"),
        event({"type": "message_delta", "usage": {"output_tokens": tokens.output}}, "message_delta"),
        event({"type": "message_stop"}, "message_stop"),
    ]


def responses_usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.prompt,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.written},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.prompt + tokens.output,
    }


def responses_whole(tokens: Tokens, text: str, status: str = "completed") -> dict[str, Any]:
    output = [{"type": "message", "content": [{"type": "output_text", "text": text}]}]
    return {"object": "response", "status": status, "error": None, "output": output, "usage": responses_usage(tokens)}


def responses_events(tokens: Tokens, text: str, last: str = "completed") -> list[bytes]:
    created = {"type": "response.created", "response": {"object": "response", "usage": None}}
    whole = responses_whole(tokens, text, last)
    return [
        event(created, "response.created"),
        event({"type": "response.output_text.delta", "delta": text}, "response.output_text.delta"),
        event({"type": f"response.{last}", "response": whole}, f"response.{last}"),
    ]


def chat_usage(tokens: Tokens) -> dict[str, Any]:
    """OpenAI's; DeepSeek and xAI differ as below."""
    return {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.prompt + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.written},
    }


def deepseek_usage(tokens: Tokens) -> dict[str, Any]:
    known = {name: count for name, count in chat_usage(tokens).items() if name != "prompt_tokens_details"}
    return {**known, "prompt_cache_hit_tokens": tokens.cached, "prompt_cache_miss_tokens": tokens.fresh}


def xai_usage(tokens: Tokens) -> dict[str, Any]:
    return {**chat_usage(tokens), "completion_tokens": tokens.visible}


def chat_dialect(provider: str, model: str, path: str, usage: Callable[[Tokens], dict[str, Any]]) -> Dialect:
    def whole(tokens: Tokens, text: str) -> dict[str, Any]:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return {"object": "chat.completion", "choices": [choice], "usage": usage(tokens)}

    def chunk(choices: list[dict[str, Any]], stated: dict[str, Any] | None = None) -> bytes:
        return event({"object": "chat.completion.chunk", "choices": choices, "usage": stated})

    def events(tokens: Tokens, text: str) -> list[bytes]:
        return [
            chunk([{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}]),
            chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}]),
            chunk([], usage(tokens)),
            b"data: [DONE]\n\n",
        ]

    body = {"model": model, "messages": [{"role": "user", "content": "Do it."}]}
    return Dialect(provider, model, path, path, body, whole, events)


def google_usage(tokens: Tokens) -> dict[str, int]:
    return {
        "promptTokenCount": tokens.prompt,
        "cachedContentTokenCount": tokens.cached,
        "candidatesTokenCount": tokens.visible,
        "thoughtsTokenCount": tokens.reasoning,
        "totalTokenCount": tokens.prompt + tokens.output,
    }


def google_whole(tokens: Tokens, text: str) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}
    return {"candidates": [candidate], "usageMetadata": google_usage(tokens)}


def google_chunks(tokens: Tokens, text: str) -> list[dict[str, Any]]:
    first = {
        "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}],
        "usageMetadata": {"promptTokenCount": tokens.prompt, "candidatesTokenCount": 1},
    }
    return [first, google_whole(tokens, text)]


def google_events(tokens: Tokens, text: str) -> list[bytes]:
    return [event(chunk).replace(b"\n", b"\r\n") for chunk in google_chunks(tokens, text)]


GEMINI = "gemini-3.1-pro-preview"
CLAUDE = "claude-opus-4-5-20251101"
CODEX = "gpt-5.2-codex"
DIALECTS = {
    "anthropic": Dialect(
        "anthropic",
        CLAUDE,
        "/v1/messages",
        "/v1/messages",
        {"model": CLAUDE, "max_tokens": 100, "messages": [{"role": "user", "content": "Do it."}]},
        anthropic_whole,
        anthropic_events,
    ),
    "responses": Dialect(
        "openai",
        CODEX,
        "/v1/responses",
        "/v1/responses",
        {"model": CODEX, "input": "Do it."},
        responses_whole,
        responses_events,
    ),
    "chat": chat_dialect("openai", CODEX, "/v1/chat/completions", chat_usage),
    "deepseek": chat_dialect("deepseek", "deepseek-coder", "/chat/completions", deepseek_usage),
    "xai": chat_dialect("xai", "grok-4.1", "/v1/chat/completions", xai_usage),
    "google": Dialect(
        "google",
        GEMINI,
        f"/v1beta/models/{GEMINI}:generateContent",
        f"/v1beta/models/{GEMINI}:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "Do it."}]}]},
        google_whole,
        google_events,
    ),
}
