"""The catalogue: the agents, their models, and which of them answers to which tier."""

from dataclasses import dataclass
from enum import StrEnum


class Tier(StrEnum):
    """Names that a caller may give instead of a model."""

    FLAGSHIP = "flagship"
    BALANCED = "balanced"
    FAST = "fast"


class CatalogueBroken(Exception):
    """The catalogue contradicts itself: a defect of the build, found at import."""


@dataclass(frozen=True)
class Model:
    """A model that an agent can be asked to use."""

    model_id: str
    tier: Tier


@dataclass(frozen=True)
class Agent:
    """An agent: its models (the default first), whether its image can be launched in this release, its task's size."""

    name: str
    title: str
    provider: str | None
    models: tuple[Model, ...]
    available: bool
    cpu_units: int = 1_024
    memory_mb: int = 4_096

    @property
    def default_model_id(self) -> str:
        """The model of a dispatch that names none."""
        return self.models[0].model_id

    def resolve_model(self, asked: str | None) -> str | None:
        """The model for what was asked: one of its own, or a tier (the default where it has none of that tier)."""
        if asked is None:
            return self.default_model_id
        found = next((model.model_id for model in self.models if asked in (model.model_id, model.tier)), None)
        return self.default_model_id if found is None and asked in list(Tier) else found

    def accepted_models(self) -> tuple[str, ...]:
        """Every text that `resolve_model` knows, for error messages and documentation."""
        return (*(model.model_id for model in self.models), *(str(tier) for tier in Tier))


def _catalogue(*agents: Agent) -> dict[str, Agent]:
    by_name = {agent.name: agent for agent in agents}
    if len(by_name) != len(agents):
        raise CatalogueBroken("two agents share a name")
    for agent in agents:
        if len({model.model_id for model in agent.models}) != len(agent.models) or not agent.models:
            raise CatalogueBroken(f"{agent.name} has a model twice, or none")
    return by_name


AGENTS = _catalogue(
    Agent(
        name="claude",
        title="Claude Code",
        provider="anthropic",
        models=(
            Model("claude-opus-4-5-20251101", Tier.FLAGSHIP),
            Model("claude-sonnet-4-5-20250929", Tier.BALANCED),
            Model("claude-haiku-4-5-20251001", Tier.FAST),
        ),
        available=False,
    ),
    Agent(
        name="codex",
        title="Codex",
        provider="openai",
        models=(Model("gpt-5.2-codex", Tier.FLAGSHIP), Model("gpt-5.1-codex-mini", Tier.FAST)),
        available=False,
    ),
    Agent(
        name="gemini",
        title="Gemini CLI",
        provider="google",
        models=(Model("gemini-3-pro-preview", Tier.FLAGSHIP), Model("gemini-2.5-flash", Tier.FAST)),
        available=False,
    ),
    Agent(
        name="aider",
        title="Aider",
        provider="deepseek",
        models=(Model("deepseek/deepseek-coder", Tier.FLAGSHIP),),
        available=False,
    ),
    Agent(name="grok", title="Grok", provider="xai", models=(Model("grok-4.1", Tier.FLAGSHIP),), available=False),
    Agent(
        name="shell",
        title="Shell script",
        provider=None,
        models=(Model("none", Tier.FAST),),
        available=True,
        cpu_units=256,
        memory_mb=512,
    ),
)
