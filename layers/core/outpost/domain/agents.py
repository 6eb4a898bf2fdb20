"""The catalogue: the agents, their models and prices, the size of their compute, and which model answers to a tier."""

from dataclasses import dataclass, replace
from enum import StrEnum

from outpost.domain.money import ModelPrice, dollars_per_million
from outpost.domain.secret import PROVIDERS
from outpost.domain.size import Architecture, Size


class Tier(StrEnum):
    """Names that a caller may give instead of a model."""

    FLAGSHIP = "flagship"
    BALANCED = "balanced"
    FAST = "fast"


SIZES = {
    Tier.FLAGSHIP: Size(cpu_units=2_048, memory_mb=8_192),
    Tier.BALANCED: Size(cpu_units=1_024, memory_mb=4_096),
    Tier.FAST: Size(cpu_units=512, memory_mb=2_048),
}


class CatalogueBroken(Exception):
    """The catalogue contradicts itself: a defect of the build, found at import."""


@dataclass(frozen=True)
class Model:
    """A model that an agent can be asked to use.

    `wire_names` are the names by which its command line asks the provider, where they differ from `model_id`.
    `retired_names` were models of their own once, and mean this one now. A model without a price needs no provider.
    """

    model_id: str
    tier: Tier
    price: ModelPrice | None = None
    wire_names: tuple[str, ...] = ()
    retired_names: tuple[str, ...] = ()

    @property
    def provider_names(self) -> tuple[str, ...]:
        """The names that a provider knows it by."""
        return self.wire_names or (self.model_id,)


@dataclass(frozen=True)
class Agent:
    """An agent: its models, the default first, whose tier says how large its compute is unless `own_size` does.

    The architecture is the one that its image is built for.
    """

    name: str
    title: str
    provider: str | None
    models: tuple[Model, ...]
    own_size: Size | None = None
    architecture: Architecture = Architecture.ARM64

    @property
    def default_model_id(self) -> str:
        """The model of a dispatch that names none."""
        return self.models[0].model_id

    def model(self, model_id: str) -> Model | None:
        """The model of that name, or that a retired name stands for."""
        return next((each for each in self.models if model_id in (each.model_id, *each.retired_names)), None)

    def resolve_model(self, asked: str | None) -> str | None:
        """The model for what was asked: one of its own, or a tier (the default where it has none of that tier)."""
        if asked is None:
            return self.default_model_id
        found = self.model(asked) or next((model for model in self.models if asked == model.tier), None)
        if found is not None:
            return found.model_id
        return self.default_model_id if asked in list(Tier) else None

    def size(self, model_id: str) -> Size:
        """The size of a run that asks for none."""
        model = self.model(model_id) or self.models[0]
        return replace(self.own_size or SIZES[model.tier], architecture=self.architecture)

    def accepted_models(self) -> tuple[str, ...]:
        """Every text that `resolve_model` knows, for error messages and documentation."""
        return (*(model.model_id for model in self.models), *(str(tier) for tier in Tier))


def catalogue(*agents: Agent) -> dict[str, Agent]:
    """The agents by name. Raises CatalogueBroken where a name is given twice or a reference leads nowhere."""
    by_name = {agent.name: agent for agent in agents}
    if len(by_name) != len(agents):
        raise CatalogueBroken("two agents share a name")
    for agent in agents:
        _require_sound(agent)
    return by_name


def _require_sound(agent: Agent) -> None:
    names = [name for model in agent.models for name in (model.model_id, *model.retired_names)]
    if not agent.models or len(set(names)) != len(names) or set(names) & set(Tier):
        raise CatalogueBroken(f"{agent.name} has no model, or a name twice, or a tier for a name")
    if agent.provider is not None and agent.provider not in PROVIDERS:
        raise CatalogueBroken(f"{agent.name} has the provider {agent.provider}, which is unknown")
    if any((model.price is None) != (agent.provider is None) for model in agent.models):
        raise CatalogueBroken(f"{agent.name} has a model of a provider without a price, or a price without a provider")


AGENTS = catalogue(
    Agent(
        name="claude",
        title="Claude Code",
        provider="anthropic",
        models=(
            Model(
                "claude-opus-4-5-20251101",
                Tier.FLAGSHIP,
                dollars_per_million(5, cached=0.5, cache_write=6.25, output=25),
                retired_names=("claude-opus-4-20250514", "claude-opus-4-1-20250805"),
            ),
            Model(
                "claude-sonnet-4-5-20250929",
                Tier.BALANCED,
                dollars_per_million(3, cached=0.3, cache_write=3.75, output=15),
                retired_names=("claude-3-7-sonnet-20250219", "claude-sonnet-4-20250514"),
            ),
            Model(
                "claude-haiku-4-5-20251001",
                Tier.FAST,
                dollars_per_million(1, cached=0.1, cache_write=1.25, output=5),
                retired_names=("claude-3-5-haiku-20241022",),
            ),
        ),
    ),
    Agent(
        name="codex",
        title="Codex",
        provider="openai",
        models=(
            Model(
                "gpt-5.2-codex",
                Tier.FLAGSHIP,
                dollars_per_million(1.75, cached=0.175, output=14),
                retired_names=("gpt-5-codex", "gpt-5.1-codex"),
            ),
            Model("gpt-5.1-codex-mini", Tier.FAST, dollars_per_million(0.25, cached=0.025, output=2)),
        ),
    ),
    Agent(
        name="gemini",
        title="Gemini CLI",
        provider="google",
        models=(
            # The command line asks for the successor when it is given the retired preview's name.
            Model(
                "gemini-3-pro-preview",
                Tier.FLAGSHIP,
                dollars_per_million(2, cached=0.2, output=12),
                wire_names=("gemini-3.1-pro-preview", "gemini-3-pro-preview"),
                retired_names=("gemini-3.1-pro-preview",),
            ),
            Model(
                "gemini-2.5-flash",
                Tier.FAST,
                dollars_per_million(0.3, cached=0.03, output=2.5),
                retired_names=("gemini-2.0-flash",),
            ),
        ),
    ),
    Agent(
        name="aider",
        title="Aider",
        provider="deepseek",
        models=(
            Model(
                "deepseek/deepseek-coder",
                Tier.FLAGSHIP,
                dollars_per_million(0.28, cached=0.028, output=0.42),
                wire_names=("deepseek-coder",),
                retired_names=("deepseek-coder",),
            ),
        ),
    ),
    Agent(
        name="grok",
        title="Grok",
        provider="xai",
        models=(
            Model("grok-4.1", Tier.FLAGSHIP, dollars_per_million(3, cached=0.75, output=15), retired_names=("grok-4",)),
        ),
        architecture=Architecture.X86_64,
    ),
    Agent(
        name="shell",
        title="Shell script",
        provider=None,
        models=(Model("none", Tier.FAST),),
        own_size=Size(cpu_units=256, memory_mb=512),
    ),
)
