"""An agent is one entry of the catalogue and the parts that follow from it; the build says which are missing."""

import pytest
from agent_parts import missing_parts

from outpost.domain.agents import AGENTS, Agent, Model, Tier
from outpost.domain.money import dollars_per_million

TOY = Agent(
    name="toy",
    title="Toy",
    provider="toymaker",
    models=(Model("toy-1", Tier.FAST, dollars_per_million(1, cached=0.1, output=5)),),
)


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_nothing_is_missing_of_an_agent_of_the_catalogue(agent):
    assert missing_parts(agent) == []


def test_a_seventh_agent_is_asked_for_every_part():
    assert missing_parts(TOY) == [
        "an adapter in agents/outpost_runner/agents/toy.py, listed in ADAPTERS",
        "agents/toy/Dockerfile",
        'target "toy" in agents/docker-bake.hcl',
        "a task definition outpost-toy-${Env}",
        "a repository outpost-toy",
        "a log group /outpost/${Env}/agents/toy",
        "the provider toymaker in the gateway's KNOWN_PROVIDERS",
        "its row, with its default model, in docs/api.md",
    ]
