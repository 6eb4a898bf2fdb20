"""The agents that this runner can drive, by the names of the catalogue."""

from outpost_runner.agents.adapter import AgentAdapter
from outpost_runner.agents.aider import AiderAgent
from outpost_runner.agents.claude import ClaudeAgent
from outpost_runner.agents.codex import CodexAgent
from outpost_runner.agents.gemini import GeminiAgent
from outpost_runner.agents.grok import GrokAgent
from outpost_runner.agents.shell import ShellAgent

ADAPTERS: tuple[AgentAdapter, ...] = (
    ClaudeAgent(),
    CodexAgent(),
    GeminiAgent(),
    AiderAgent(),
    GrokAgent(),
    ShellAgent(),
)


class AgentUnknown(Exception):
    """This runner has no adapter for the agent."""


def find_adapter(name: str) -> AgentAdapter:
    for adapter in ADAPTERS:
        if adapter.name == name:
            return adapter
    known = ", ".join(adapter.name for adapter in ADAPTERS)
    raise AgentUnknown(f"This image's runner cannot drive the agent {name!r}; it knows: {known}.")
