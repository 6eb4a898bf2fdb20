"""Ends that are not the agent's own: its budget, its provider, a cancel."""

import os
import pwd

import pytest

from outpost.domain.agents import AGENTS
from outpost.domain.money import usd

from ..agents.gateway.dialects import Tokens
from .provider.steps import Read, Refuse, Replace, Write

# Much beside a title, and little beside the room that a model has: an agent that ran out of it would begin to shorten.
CALL = Tokens(fresh=20_000, visible=100)
CALLS = 2.2
# Grok tries for about a minute on 503, and gives up soon when it is told to wait.
OUTAGES = {"grok": Refuse(429, {"retry-after": "2"})}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change users")


def cost_of(agent: str, calls: float) -> float:
    price = AGENTS[agent].models[0].price
    return usd(round(calls * (CALL.fresh * price.input_microusd + CALL.visible * price.output_microusd) / 1_000_000))


@pytest.fixture(scope="session")
def endless(agent, player):
    """A run that makes a file, and then tries the same again and again."""
    return player.play(
        Read("README.md", tokens=CALL),
        Write("made.txt", "made by the agent\n", tokens=CALL),
        Replace("README.md", "words that are not there", "others", tokens=CALL),
        budget={"maxCostUsd": cost_of(agent, CALLS)},
    )


@pytest.mark.shows("budget")
def test_a_budget_stops_it_within_a_call(agent, endless):
    assert endless.end == ("FAILED", "BUDGET_EXCEEDED")
    used = endless.run["usage"]
    assert cost_of(agent, CALLS) * 0.8 < used["modelCostUsd"] <= cost_of(agent, 3.1)


@pytest.mark.shows("budget")
def test_the_work_that_its_budget_was_enough_for_is_kept(agent, endless, caller):
    assert b"+made by the agent" in caller.patch(endless.run_id)


@pytest.mark.shows("budget")
def test_that_its_budget_is_nearly_used_is_one_event(agent, endless, caller):
    assert caller.event_types(endless.run_id).count("run.budget-nearly-used") == 1


@pytest.mark.shows("outage")
def test_a_provider_that_stays_away_is_named_as_the_reason(agent, player):
    played = player.play(OUTAGES.get(agent, Refuse(503)))
    assert played.end == ("FAILED", "PROVIDER_UNAVAILABLE")
    assert played.run["usage"]["modelCostUsd"] == 0


@pytest.mark.shows("outage")
def test_a_provider_that_takes_no_key_is_named_as_the_reason(agent, player):
    assert player.play(Refuse(401)).end == ("FAILED", "PROVIDER_AUTH_FAILED")


@pytest.mark.shows("cancel")
def test_a_cancel_stops_it_in_the_middle_of_a_sentence(agent, interrupted):
    assert interrupted.played.end == ("CANCELLED", "CANCELLED_BY_USER")
    assert interrupted.was_left


@pytest.mark.shows("cancel")
def test_nothing_of_it_is_left_after_a_cancel(agent, interrupted):
    assert interrupted.processes
    assert interrupted.left_processes == []
    assert interrupted.left_folders == []


@needs_root
@pytest.mark.shows("cancel")
def test_it_runs_as_a_user_without_rights(agent, interrupted):
    assert {process.user_id for process in interrupted.processes} == {pwd.getpwnam("nobody").pw_uid}
