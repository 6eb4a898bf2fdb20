"""What outside a run keeps it from beginning."""

from dataclasses import replace

import pytest
from builders import a_plan, a_run, a_running_run, a_tenant, later

from outpost.domain.deployment import Breaker, Deployment
from outpost.domain.explain import Surroundings, explain
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.run import RunStatus

NOW = later(seconds=100)
QUEUED = a_run(status=RunStatus.QUEUED)
SWITCH = KillSwitch("too much", later(), "operator")
OPEN = Breaker(5, later(seconds=90))
AROUND = Surroundings(a_tenant(active_runs=10, queued_runs=3), Deployment(most_runs=100, active_runs=40), 2)


def waits_for(run, around=AROUND, *, tenant=None, **deployment):
    around = replace(
        around,
        tenant=replace(around.tenant, **(tenant or {})),
        deployment=replace(around.deployment, **deployment),
    )
    return explain(run, NOW, around).waits_for


def test_a_queued_run_says_how_long_it_has_waited_of_how_long_it_may():
    assert explain(QUEUED, NOW, AROUND).summary == "The run has waited 100 of 3600 s for a slot."


def test_without_its_surroundings_a_queued_run_waits_for_its_tenants_runs():
    assert explain(QUEUED, NOW).waits_for == "one of the tenant's runs to end"


def test_a_run_of_a_full_tenant_waits_for_its_own_and_says_its_place():
    assert waits_for(QUEUED) == (
        "one of the tenant's runs to end (10 of 10 are at work); it is number 2 of 3 in the queue"
    )


def test_a_lowered_limit_shows_that_more_are_at_work_than_may_be():
    assert "(10 of 4 are at work)" in waits_for(QUEUED, tenant={"plan": a_plan(concurrent_runs=4)})


def test_a_run_of_a_tenant_with_room_waits_for_the_deployment():
    assert waits_for(QUEUED, tenant={"active_runs": 1}, active_runs=100) == (
        "a slot of the deployment, which is full; it is number 2 of 3 in the queue"
    )


def test_a_deployment_with_room_is_not_said_to_be_full():
    assert "full" not in waits_for(QUEUED, tenant={"active_runs": 1}, active_runs=40)


@pytest.mark.parametrize("run", [QUEUED, a_run()])
@pytest.mark.parametrize(
    ("around", "message"),
    [
        ({"kill_switch": SWITCH}, "the operator to lift the deployment's kill switch"),
        ({"tenant": {"kill_switch": SWITCH}}, "the tenant's kill switch to be lifted (reason: too much)"),
    ],
)
def test_a_run_that_has_not_begun_says_what_is_switched_off(run, around, message):
    assert waits_for(run, **around) == message


def test_a_deployments_own_switch_is_said_without_its_reason():
    assert "too much" not in waits_for(QUEUED, kill_switch=SWITCH)


NOT_CLOSED = [Breaker(7, later(seconds=90)), Breaker(7, later(seconds=40))]
FAILED = "7 launches of shell, or calls to its provider, failed in a row"


@pytest.mark.parametrize("breaker", NOT_CLOSED, ids=["open", "half-open"])
def test_a_launch_of_an_agent_that_has_failed_says_so_in_brackets(breaker):
    message = waits_for(a_run(), breakers={"shell": breaker})
    assert message == f"its task to be launched; it is given up in 500 s ({FAILED})"


@pytest.mark.parametrize("breaker", NOT_CLOSED, ids=["open", "half-open"])
def test_a_run_that_waits_for_an_agent_that_has_failed_waits_for_its_launch(breaker):
    assert waits_for(QUEUED, breakers={"shell": breaker}) == f"shell to be launched again: {FAILED}"


@pytest.mark.parametrize("breakers", [{"shell": Breaker(4, later(seconds=90))}, {"claude": OPEN}])
def test_a_breaker_that_is_closed_or_anothers_is_no_hindrance(breakers):
    assert waits_for(a_run(), breakers=breakers) == waits_for(a_run())
    assert waits_for(QUEUED, breakers=breakers) == waits_for(QUEUED)


def test_the_strongest_hindrance_is_said():
    everything = {"kill_switch": SWITCH, "breakers": {"shell": OPEN}}
    assert "operator" in waits_for(QUEUED, tenant={"kill_switch": SWITCH}, **everything)
    assert "tenant's kill switch" in waits_for(QUEUED, tenant={"kill_switch": SWITCH}, breakers={"shell": OPEN})
    assert "launched again" in waits_for(QUEUED, tenant={"active_runs": 1}, active_runs=100, breakers={"shell": OPEN})


def test_a_run_with_its_slot_waits_for_its_task_and_not_for_the_queue():
    assert waits_for(a_run()) == "its task to be launched; it is given up in 500 s"


@pytest.mark.parametrize("run", [a_running_run(), a_running_run().cancel_requested(None, later(seconds=95))])
def test_what_has_begun_is_not_hindered_from_beginning(run):
    assert waits_for(run, kill_switch=SWITCH, tenant={"kill_switch": SWITCH}) == explain(run, NOW).waits_for


def test_a_run_that_has_ended_waits_for_nothing():
    ended = QUEUED.cancel_requested("enough", later(seconds=50))
    explanation = explain(ended, NOW, AROUND)
    assert (explanation.summary, explanation.waits_for) == ("Cancelled: enough", None)
