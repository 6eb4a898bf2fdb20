"""The catalogue holds together: a name given twice, or a reference that leads nowhere, fails the build."""

import pytest

from outpost.domain.agents import AGENTS, Agent, CatalogueBroken, Model, Tier, catalogue
from outpost.domain.money import dollars_per_million
from outpost.domain.secret import PROVIDERS

PRICE = dollars_per_million(1, cached=0.1, output=5)
MODEL = Model("m-1", Tier.FLAGSHIP, PRICE)


def an_agent(name="toy", provider="anthropic", models=(MODEL,)):
    return Agent(name=name, title="Toy", provider=provider, models=models)


def test_agents_are_found_by_name():
    toy, other = an_agent(), an_agent("other")
    assert catalogue(toy, other) == {"toy": toy, "other": other}


@pytest.mark.parametrize(
    "agents",
    [
        (an_agent(), an_agent()),
        (an_agent(models=()),),
        (an_agent(models=(MODEL, MODEL)),),
        (an_agent(models=(MODEL, Model("m-2", Tier.FAST, PRICE, retired_names=("m-1",)))),),
        (an_agent(models=(Model("fast", Tier.FAST, PRICE),)),),
        (an_agent(provider="nobody"),),
        (an_agent(models=(Model("m-1", Tier.FAST),)),),
        (an_agent(provider=None),),
    ],
    ids=["agent twice", "no model", "model twice", "retired and alive", "tier for a name", "provider", "free", "paid"],
)
def test_a_catalogue_that_contradicts_itself_is_refused(agents):
    with pytest.raises(CatalogueBroken):
        catalogue(*agents)


def test_a_retired_name_means_the_model_that_took_its_place():
    assert AGENTS["claude"].resolve_model("claude-opus-4-1-20250805") == "claude-opus-4-5-20251101"


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_every_name_that_an_agent_takes_means_one_of_its_models(agent):
    taken = [*agent.accepted_models(), *(name for model in agent.models for name in model.retired_names)]
    assert {agent.resolve_model(name) for name in taken} == {model.model_id for model in agent.models}


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_every_model_is_known_to_its_provider_by_a_name(agent):
    assert all(model.provider_names for model in agent.models)


def test_each_provider_has_its_agent():
    assert {agent.provider for agent in AGENTS.values()} == {*PROVIDERS, None}
