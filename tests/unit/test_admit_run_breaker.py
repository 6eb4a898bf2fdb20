"""Admission while an agent's breaker is open, and half-open."""

import pytest
from builders import later, terms_of

from outpost.domain.deployment import Breaker, BreakerState
from outpost.domain.errors import AgentUnavailable
from outpost.domain.outcome import Evidence, NeverLaunched
from outpost.domain.run import RunStatus
from outpost.use_cases.claim_run import RunnerIdentity
from outpost.use_cases.finish_run import finish_run

OPENED = Breaker(5, later(seconds=-60))
REFUSED = Evidence(1, never_launched=NeverLaunched.LAUNCH_REFUSED)


def refuse_launch(world, run):
    return finish_run("acme", run.run_id, REFUSED, **world.ports("runs", "clock", "identifiers"))


def test_an_open_breaker_says_when_to_come_back(world):
    world.change_deployment(breakers={"shell": Breaker(5, later(seconds=-15))})
    with pytest.raises(AgentUnavailable) as unavailable:
        world.admit()
    assert unavailable.value.retry_after_seconds == 45


def test_the_breaker_of_another_agent_is_in_nobodys_way(world):
    world.change_deployment(breakers={"claude": Breaker(5, later())})
    assert world.admit().status is RunStatus.PENDING


def test_a_half_open_breaker_lets_exactly_one_run_through(world):
    world.change_deployment(breakers={"shell": OPENED})
    assert world.admit(1).status is RunStatus.PENDING
    with pytest.raises(AgentUnavailable) as unavailable:
        world.admit(2)
    assert unavailable.value.retry_after_seconds == 60


def test_a_half_open_breaker_costs_no_call_more(world):
    world.change_deployment(breakers={"shell": OPENED})
    world.admit()
    assert world.runs.tries == 1


def test_of_two_that_see_a_half_open_breaker_one_is_refused(world):
    stale = terms_of(world.tenant())
    world.change_tenant(plan_revision=2)
    world.change_deployment(breakers={"shell": OPENED})
    world.runs.after_refusals = [lambda: world.admit(2)]
    with pytest.raises(AgentUnavailable):
        world.admit(1, terms=stale)
    assert [run.run_id[-1] for run in world.runs.records.values()] == ["2"]


@pytest.mark.parametrize("change", ["change_tenant", "change_deployment"])
def test_a_run_that_only_waits_takes_no_trial(world, change):
    world.change_deployment(breakers={"shell": OPENED})
    getattr(world, change)(active_runs=100)
    assert world.admit(1).status is RunStatus.QUEUED
    assert world.admit(2).status is RunStatus.QUEUED
    assert world.runs.deployment.breaker("shell") == OPENED


@pytest.mark.parametrize("change", ["change_tenant", "change_deployment"])
def test_no_run_is_let_in_to_wait_for_an_agent_that_is_not_launched(world, change):
    world.change_deployment(breakers={"shell": Breaker(5, later(seconds=-15))})
    getattr(world, change)(active_runs=100)
    with pytest.raises(AgentUnavailable) as unavailable:
        world.admit()
    assert unavailable.value.retry_after_seconds == 45


def test_the_agents_of_others_are_launched_while_one_is_tried_out(world):
    world.change_deployment(breakers={"shell": OPENED, "claude": OPENED})
    world.admit(1)
    assert world.admit(2, agent="claude").status is RunStatus.PENDING


def test_a_try_that_fails_opens_the_breaker_for_another_minute(world):
    world.change_deployment(breakers={"shell": OPENED})
    tried = world.admit()
    world.clock.move(seconds=90)
    refuse_launch(world, tried)
    assert world.runs.deployment.breaker("shell") == Breaker(6, later(seconds=90))


def test_five_launches_that_fail_in_a_row_refuse_the_next(world):
    world.change_deployment(breakers={"shell": Breaker(4, later(seconds=-1))})
    tried = world.admit(1)
    refuse_launch(world, tried)
    with pytest.raises(AgentUnavailable):
        world.admit(2)


def test_a_claim_alone_does_not_close_the_breaker(world):
    world.change_deployment(breakers={"shell": OPENED})
    run = world.admit()
    runner = RunnerIdentity("acme", run.run_id, 1)
    world.claim(runner)
    assert world.runs.deployment.breaker("shell").state(world.clock.now()) is BreakerState.OPEN
