"""What a run reserved is given back at its end, but for what it used."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from builders import CLAIM, NOON, SMALL, TASK_ARN, a_key, a_plan, a_report, a_run, a_running_run, a_stopped_task, later

from outpost.domain.admission import Usage
from outpost.domain.api_key import Restrictions
from outpost.domain.money import price_compute
from outpost.domain.outcome import Evidence, NeverLaunched, StopCode
from outpost.domain.plan import PlanKind
from outpost.domain.run import RunStatus
from outpost.domain.usage import Reservation
from outpost.use_cases.cancel_run import cancel_run
from outpost.use_cases.change_run import Change, change_run
from outpost.use_cases.finish_run import abandon_queued, expire_queued, finish_run

CHANGE = ("runs", "clock", "identifiers")
JANUARY = ("acme", "2030-01", None)
RESERVED = Reservation("2030-01", 600, 1_665)
NOTHING = Usage(dispatches=1)


def used(seconds):
    """Fargate bills a minute at least."""
    return Usage(1, seconds, price_compute(SMALL, max(60, seconds)))


def claim(world, run, *, attempt=1, task_arn=TASK_ARN):
    def decide(found):
        return Change(found.claimed(attempt=attempt, claim_id=CLAIM, task_arn=task_arn, at=world.clock.now()))

    return change_run("acme", run.run_id, decide, **world.ports(*CHANGE))


def report(world, run):
    def decide(found):
        return Change(found.reported(a_report(), claim_id=CLAIM))

    return change_run("acme", run.run_id, decide, **world.ports(*CHANGE))


def stop(world, run, **changes):
    """The end of the run's task, now."""
    task = a_stopped_task(run_id=run.run_id, stopped_at=world.clock.now(), **changes)
    return finish_run("acme", run.run_id, Evidence(task.attempt, task=task), **world.ports(*CHANGE))


@pytest.mark.parametrize(
    ("end", "seconds"),
    [
        ({"compute_stopped_at": later(seconds=70)}, 60),
        ({"compute_stopped_at": later(seconds=70.001)}, 61),
        ({"compute_stopped_at": later(seconds=610)}, 600),
        ({"compute_stopped_at": later(seconds=700)}, 600),
        ({"compute_stopped_at": later(seconds=5)}, 0),
        ({"compute_stopped_at": later(seconds=70), "ended_at": later(seconds=99)}, 60),
        ({"compute_stopped_at": None, "ended_at": later(seconds=99)}, 89),
        ({"started_at": None, "compute_stopped_at": later(seconds=70)}, 0),
        ({"reservation": None, "compute_stopped_at": later(seconds=70)}, 0),
    ],
)
def test_used_time_counts_from_the_claim_to_the_stop_and_never_exceeds_the_reservation(end, seconds):
    assert a_running_run(**{"reservation": RESERVED, **end}).used_seconds == seconds


def test_while_a_run_is_at_work_all_of_its_reservation_counts(world):
    claim(world, world.admit())
    assert world.runs.used[JANUARY] == used(600)


def test_a_success_counts_what_it_used(world):
    run = world.admit()
    world.clock.move(seconds=30)
    claim(world, run)
    world.clock.move(seconds=90)
    report(world, run)
    assert stop(world, run).status is RunStatus.COMPLETED
    assert world.runs.used[JANUARY] == used(90)


def test_a_run_that_was_never_claimed_gives_its_reservation_back(world):
    run = replace(world.admit(), attempt=3)
    world.runs.records["acme", run.run_id] = run
    world.clock.move(seconds=300)
    refused = Evidence(3, never_launched=NeverLaunched.LAUNCH_REFUSED)
    assert finish_run("acme", run.run_id, refused, **world.ports(*CHANGE)).status is RunStatus.FAILED
    assert world.runs.used[JANUARY] == NOTHING


def test_a_lost_attempt_costs_nothing_and_keeps_the_reservation(world):
    run = world.admit()
    claim(world, run)
    world.clock.move(seconds=500)
    assert stop(world, run, stop_code=StopCode.SPOT_INTERRUPTION).attempt == 2
    assert world.runs.used[JANUARY] == used(600)


def test_only_the_last_attempt_counts(world):
    run = world.admit()
    claim(world, run)
    world.clock.move(seconds=500)
    stop(world, run, stop_code=StopCode.SPOT_INTERRUPTION)
    claim(world, run, attempt=2, task_arn="second")
    world.clock.move(seconds=40)
    stop(world, run, attempt=2, task_arn="second", exit_code=1)
    assert world.runs.used[JANUARY] == used(40)


def test_a_cancel_at_work_counts_until_the_compute_has_stopped(world):
    run = world.admit()
    claim(world, run)
    world.clock.move(seconds=20)
    cancel_run("acme", run.run_id, None, **world.ports(*CHANGE, "executions"))
    world.clock.move(seconds=25)
    assert stop(world, run).status is RunStatus.CANCELLED
    assert world.runs.used[JANUARY] == used(45)


@pytest.fixture
def queued(world):
    world.change_tenant(active_runs=10)
    return world.admit()


def test_a_run_in_the_queue_has_its_reservation_too(world, queued):
    assert (queued.status, world.runs.used[JANUARY]) == (RunStatus.QUEUED, used(600))


def test_a_cancel_in_the_queue_gives_the_reservation_back(world, queued):
    cancel_run("acme", queued.run_id, None, **world.ports(*CHANGE, "executions"))
    assert world.runs.used[JANUARY] == NOTHING
    assert world.tenant().queued_runs == 0


@pytest.mark.parametrize("end", [expire_queued, abandon_queued])
def test_an_end_in_the_queue_gives_the_reservation_back(world, queued, end):
    end("acme", queued.run_id, **world.ports(*CHANGE))
    assert world.runs.used[JANUARY] == NOTHING
    assert world.tenant().queued_runs == 0


def test_evidence_heard_twice_settles_once(world):
    run = world.admit()
    claim(world, run)
    world.clock.move(seconds=60)
    stop(world, run, exit_code=1)
    stop(world, run, exit_code=1)
    assert world.runs.used[JANUARY] == used(60)


def test_a_keys_budget_is_settled_beside_the_tenants_plan(world):
    key = world.put_key(a_key(restrictions=Restrictions(monthly_budget_microusd=1_665), budget_key_id="budget"))
    run = world.admit(key=key)
    claim(world, run)
    world.clock.move(seconds=60)
    stop(world, run, exit_code=1)
    assert world.runs.used == {JANUARY: used(60), ("acme", "2030-01", "budget"): used(60)}


def test_what_is_given_back_can_be_used_again(world):
    world.change_tenant(plan=a_plan(agent_minutes=11))
    run = world.admit(1)
    claim(world, run)
    world.clock.move(seconds=60)
    stop(world, run, exit_code=1)
    assert world.admit(2).status is RunStatus.PENDING


def test_a_run_is_settled_in_the_month_in_which_it_was_admitted(world):
    world.clock.at = datetime(2030, 1, 31, 23, 59, 50, tzinfo=UTC)
    run = world.admit()
    claim(world, run)
    world.clock.move(seconds=60)
    stop(world, run, exit_code=1)
    assert world.runs.used == {JANUARY: used(60)}


def test_a_trials_run_is_settled_in_the_trial(world):
    world.change_tenant(plan=a_plan(kind=PlanKind.TRIAL, started_at=NOON))
    run = world.admit()
    claim(world, run)
    world.clock.move(seconds=60)
    stop(world, run, exit_code=1)
    assert world.runs.used == {("acme", "trial-20300101T120000", None): used(60)}


def test_a_run_of_an_older_release_reserved_nothing_and_settles_nothing(world):
    world.add(a_run(reservation=None))
    cancel_run("acme", a_run().run_id, None, **world.ports(*CHANGE, "executions"))
    finish_run(
        "acme",
        a_run().run_id,
        Evidence(1, never_launched=NeverLaunched.EXECUTION_ENDED),
        **world.ports(*CHANGE),
    )
    assert world.run().status is RunStatus.CANCELLED
    assert world.runs.used == {}
