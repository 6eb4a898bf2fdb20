import pytest
from builders import NOON, a_run, a_running_run, later

from outpost.domain.clocks import clock_that_ran_out, give_up_waiting
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunErrorCode

QUEUED = a_run(status=RunStatus.QUEUED)
BEATING = a_running_run(heartbeat_at=later(hours=9))


@pytest.mark.parametrize(
    ("run", "at", "code"),
    [
        (QUEUED, later(seconds=3600), None),
        (QUEUED, later(seconds=3601), RunErrorCode.QUEUE_TIMEOUT),
        (a_run(), later(seconds=600), None),
        (a_run(), later(seconds=601), RunErrorCode.START_TIMEOUT),
        (BEATING, later(seconds=730), None),
        (BEATING, later(seconds=731), RunErrorCode.RUN_TIMEOUT),
        (a_running_run(), later(seconds=70), None),
        (a_running_run(), later(seconds=71), RunErrorCode.HEARTBEAT_LOST),
        (a_running_run().cancel_requested(None, NOON), later(days=1), None),
        (a_run(status=RunStatus.COMPLETED), later(days=1), None),
    ],
)
def test_each_clock_runs_out_with_its_own_code(run, at, code):
    assert clock_that_ran_out(run, at) == code


def test_the_start_of_each_attempt_has_its_own_time():
    second = a_run(attempt=2, status_since=later(seconds=590))
    assert clock_that_ran_out(second, later(seconds=1100)) is None


def test_time_in_the_queue_is_not_the_runs():
    run = a_run(status_since=later(hours=1)).claimed(attempt=1, claim_id="c" * 32, task_arn="task", at=later(hours=1))
    assert run.deadline == later(hours=1, seconds=600)


def test_a_run_that_waited_too_long_ends_without_compute():
    run = give_up_waiting(QUEUED, later(seconds=3601))
    assert (run.status, run.error.code) == (RunStatus.TIMEOUT, RunErrorCode.QUEUE_TIMEOUT)
    assert (run.ended_at, run.compute_stopped_at) == (later(seconds=3601), None)


def test_a_run_that_has_its_slot_is_not_given_up():
    assert give_up_waiting(a_run(), later(days=1)) == a_run()


def test_a_queued_run_holds_no_slot_and_is_cancelled_at_once():
    run = QUEUED.cancel_requested("enough", later(seconds=5))
    assert not QUEUED.holds_slot
    assert (run.status, run.error.code, run.ended_at) == (
        RunStatus.CANCELLED,
        RunErrorCode.CANCELLED_BY_USER,
        later(seconds=5),
    )
