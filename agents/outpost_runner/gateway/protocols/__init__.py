"""The protocols that the providers of models speak."""

from outpost_runner.gateway.protocols.anthropic_messages import ANTHROPIC_MESSAGES
from outpost_runner.gateway.protocols.google_generate_content import GOOGLE_GENERATE_CONTENT
from outpost_runner.gateway.protocols.model_protocol import ModelProtocol
from outpost_runner.gateway.protocols.openai_chat_completions import (
    DEEPSEEK_CHAT_COMPLETIONS,
    OPENAI_CHAT_COMPLETIONS,
)
from outpost_runner.gateway.protocols.openai_responses import OPENAI_RESPONSES

__all__ = [
    "ANTHROPIC_MESSAGES",
    "DEEPSEEK_CHAT_COMPLETIONS",
    "GOOGLE_GENERATE_CONTENT",
    "OPENAI_CHAT_COMPLETIONS",
    "OPENAI_RESPONSES",
    "ModelProtocol",
]
