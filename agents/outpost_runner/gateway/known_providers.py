"""The providers that the agents use: where they are, how they take their key, and what their clients ask of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from outpost_runner.gateway.protocols import (
    ANTHROPIC_MESSAGES,
    DEEPSEEK_CHAT_COMPLETIONS,
    GOOGLE_GENERATE_CONTENT,
    OPENAI_CHAT_COMPLETIONS,
    OPENAI_RESPONSES,
)
from outpost_runner.gateway.provider import KeyHeader, Provider, Route
from outpost_runner.gateway.usage import Price


@dataclass(frozen=True)
class KnownProvider:
    base_url: str
    key_header: KeyHeader
    routes: tuple[Route, ...]


KNOWN_PROVIDERS: Mapping[str, KnownProvider] = {
    "anthropic": KnownProvider(
        "https://api.anthropic.com",
        KeyHeader.X_API_KEY,
        (
            Route("POST", "/v1/messages", ANTHROPIC_MESSAGES),
            Route("POST", "/v1/messages/count_tokens", ANTHROPIC_MESSAGES, is_counted=False),
            Route("GET", "/v1/models", ANTHROPIC_MESSAGES, is_counted=False),
        ),
    ),
    "openai": KnownProvider(
        "https://api.openai.com",
        KeyHeader.BEARER,
        (
            Route("POST", "/v1/responses", OPENAI_RESPONSES),
            Route("POST", "/v1/chat/completions", OPENAI_CHAT_COMPLETIONS),
            Route("GET", "/v1/models", OPENAI_RESPONSES, is_counted=False),
        ),
    ),
    "google": KnownProvider(
        "https://generativelanguage.googleapis.com",
        KeyHeader.X_GOOG_API_KEY,
        (
            Route("POST", "/v1beta/models/{model}:generateContent", GOOGLE_GENERATE_CONTENT),
            Route("POST", "/v1beta/models/{model}:streamGenerateContent", GOOGLE_GENERATE_CONTENT),
            Route("POST", "/v1beta/models/{model}:countTokens", GOOGLE_GENERATE_CONTENT, is_counted=False),
            Route("GET", "/v1beta/models", GOOGLE_GENERATE_CONTENT, is_counted=False),
        ),
    ),
    "deepseek": KnownProvider(
        "https://api.deepseek.com",
        KeyHeader.BEARER,
        (
            Route("POST", "/chat/completions", DEEPSEEK_CHAT_COMPLETIONS),
            Route("POST", "/v1/chat/completions", DEEPSEEK_CHAT_COMPLETIONS),
            Route("GET", "/models", DEEPSEEK_CHAT_COMPLETIONS, is_counted=False),
        ),
    ),
    "xai": KnownProvider(
        "https://api.x.ai",
        KeyHeader.BEARER,
        (
            Route("POST", "/v1/chat/completions", OPENAI_CHAT_COMPLETIONS),
            Route("POST", "/v1/responses", OPENAI_RESPONSES),
            Route("GET", "/v1/models", OPENAI_CHAT_COMPLETIONS, is_counted=False),
        ),
    ),
}


class ProviderUnknown(Exception):
    """No provider of this name is known."""


def describe_provider(name: str, api_key: str, prices: Mapping[str, Price], base_url: str | None = None) -> Provider:
    """A known provider with the run's key, at another address when one is given.

    Raises ProviderUnknown and ProviderMisdescribed.
    """
    known = KNOWN_PROVIDERS.get(name)
    if known is None:
        raise ProviderUnknown(f"The provider {name!r} is none of: {', '.join(KNOWN_PROVIDERS)}.")
    return Provider(name, base_url or known.base_url, known.key_header, api_key, known.routes, prices)
