"""The circuit breakers of agents, and what the changes of runs tell them."""

from dataclasses import replace

import pytest
from builders import NOON, TASK_ARN, a_run, a_running_run, later

from outpost.domain.clocks import give_up_waiting, lose_place
from outpost.domain.deployment import Breaker, BreakerNews, BreakerState, Deployment, breaker_news
from outpost.domain.outcome import Evidence, NeverLaunched, settle
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunError, RunErrorCode

OPEN = Breaker(5, NOON)
QUEUED = a_run(status=RunStatus.QUEUED)
REFUSED = Evidence(1, never_launched=NeverLaunched.LAUNCH_REFUSED)


def ended(run, status, code=None):
    return run.ended(status, RunError.of(code, "because") if code else None, later(seconds=80))


@pytest.mark.parametrize(
    ("breaker", "at", "state"),
    [
        (Breaker(), NOON, BreakerState.CLOSED),
        (Breaker(4, NOON), NOON, BreakerState.CLOSED),
        (OPEN, NOON, BreakerState.OPEN),
        (OPEN, later(seconds=59.999), BreakerState.OPEN),
        (OPEN, later(seconds=60), BreakerState.HALF_OPEN),
        (Breaker(6, later(seconds=60)), later(seconds=61), BreakerState.OPEN),
        (Breaker(5, None), NOON, BreakerState.CLOSED),
    ],
)
def test_five_failures_in_a_row_open_a_breaker_for_a_minute(breaker, at, state):
    assert breaker.state(at) is state


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        (NOON, 60),
        (later(seconds=0.5), 60),
        (later(seconds=1), 59),
        (later(seconds=59.5), 1),
        (later(seconds=60), None),
    ],
)
def test_an_open_breaker_says_in_how_many_whole_seconds_a_run_is_let_through(at, seconds):
    assert OPEN.retry_after_seconds(at) == seconds


def test_a_closed_breaker_asks_nobody_to_wait():
    assert Breaker(4, NOON).retry_after_seconds(NOON) is None


def test_an_agent_that_never_failed_has_a_closed_breaker():
    assert Deployment(breakers={"claude": OPEN}).breaker("shell").state(NOON) is BreakerState.CLOSED


@pytest.mark.parametrize(("active", "has_room"), [(99, True), (100, False), (101, False)])
def test_a_deployment_has_room_below_its_limit(active, has_room):
    assert Deployment(most_runs=100, active_runs=active).has_room is has_room


@pytest.mark.parametrize(
    "code",
    [
        RunErrorCode.AGENT_START_FAILED,
        RunErrorCode.START_TIMEOUT,
        RunErrorCode.PROVIDER_UNAVAILABLE,
        RunErrorCode.PROVIDER_AUTH_FAILED,
    ],
)
def test_a_launch_or_a_provider_that_fails_counts_against_the_agent(code):
    run = a_running_run()
    assert breaker_news(run, ended(run, RunStatus.FAILED, code)) is BreakerNews.FAILED


def test_a_refused_launch_counts_each_time_that_it_is_tried_again():
    relaunched = settle(a_run(), REFUSED, later(seconds=20))
    assert relaunched.status is RunStatus.PENDING
    assert breaker_news(a_run(), relaunched) is BreakerNews.FAILED


def test_a_lost_machine_says_nothing_of_the_agent():
    lost = a_running_run().relaunched(RunError.of(RunErrorCode.COMPUTE_LOST, "spot"), later(seconds=80))
    assert breaker_news(a_running_run(), lost) is None


def test_a_run_that_completes_says_that_the_agent_works():
    assert breaker_news(a_running_run(), ended(a_running_run(), RunStatus.COMPLETED)) is BreakerNews.WORKED


def test_a_task_that_fails_in_the_agents_hands_says_that_the_agent_works():
    run = a_running_run()
    assert breaker_news(run, ended(run, RunStatus.FAILED, RunErrorCode.AGENT_FAILED)) is BreakerNews.WORKED


@pytest.mark.parametrize(
    "after",
    [
        give_up_waiting(QUEUED, later(seconds=3601)),
        lose_place(QUEUED, later(seconds=80)),
        QUEUED.cancel_requested("enough", later(seconds=80)),
        QUEUED.released(later(seconds=80)),
    ],
)
def test_what_happens_in_the_queue_says_nothing_of_the_agent(after):
    assert breaker_news(QUEUED, after) is None


def test_a_cancel_before_the_claim_says_nothing_of_the_agent():
    cancelling = a_run().cancel_requested("enough", later(seconds=5))
    cancelled = settle(cancelling, REFUSED, later(seconds=20))
    assert cancelled.status is RunStatus.CANCELLED
    assert breaker_news(a_run(), cancelling) is None
    assert breaker_news(cancelling, cancelled) is None


def test_a_cancel_at_work_says_nothing_of_the_agent():
    cancelling = a_running_run().cancel_requested("enough", later(seconds=20))
    assert breaker_news(cancelling, ended(cancelling, RunStatus.CANCELLED)) is None


@pytest.mark.parametrize("code", [RunErrorCode.KILL_SWITCH_ON, RunErrorCode.TENANT_SUSPENDED])
def test_a_run_that_may_not_be_worked_on_says_nothing_of_the_agent(code):
    stopped = replace(a_run(), stop_code=code)
    assert breaker_news(stopped, ended(stopped, RunStatus.FAILED, code)) is None


def test_a_change_that_is_no_end_says_nothing_of_the_agent():
    assert breaker_news(a_run(), a_run().noted(TASK_ARN)) is None
    assert breaker_news(a_run(), a_running_run()) is None


def test_the_same_failure_is_not_counted_twice():
    failed = ended(a_run(), RunStatus.FAILED, RunErrorCode.START_TIMEOUT)
    assert breaker_news(failed, failed) is None


@pytest.mark.parametrize("code", [RunErrorCode.PROVIDER_UNAVAILABLE, RunErrorCode.PROVIDER_AUTH_FAILED])
def test_a_key_of_a_tenants_own_closes_the_agent_to_nobody(code):
    run = a_running_run(has_own_provider_key=True)
    assert breaker_news(run, ended(run, RunStatus.FAILED, code)) is None


def test_a_launch_that_fails_counts_whosever_key_it_has():
    run = a_running_run(has_own_provider_key=True)
    assert breaker_news(run, ended(run, RunStatus.FAILED, RunErrorCode.AGENT_START_FAILED)) is BreakerNews.FAILED


@pytest.mark.parametrize(
    "code", [RunErrorCode.CLONE_FAILED, RunErrorCode.BRANCH_NOT_FOUND, RunErrorCode.SECRET_NOT_FOUND]
)
def test_a_run_whose_agent_was_never_begun_says_nothing_of_it(code):
    run = a_running_run()
    assert breaker_news(run, ended(run, RunStatus.FAILED, code)) is None
