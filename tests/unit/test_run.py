from dataclasses import replace

import pytest
from builders import CLAIM, NOON, TASK_ARN, a_report, a_run, a_running_run, later

from outpost.domain.errors import ClaimRefused, RunAlreadyEnded
from outpost.domain.report import Phase
from outpost.domain.run import ACTIVE_SHARDS, QUEUED_SHARDS, TRANSITIONS, RunStatus, TransitionForbidden
from outpost.domain.run_error import RunErrorCode

TERMINAL = [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.CANCELLED]


@pytest.mark.parametrize("status", TERMINAL)
def test_a_terminal_status_has_no_way_out(status):
    assert status.is_terminal
    with pytest.raises(TransitionForbidden):
        a_run(status=status).becomes(RunStatus.RUNNING, NOON)


def test_every_status_can_be_left_or_is_terminal():
    assert {status for status, targets in TRANSITIONS.items() if not targets} == set(TERMINAL)
    assert set(TRANSITIONS) == set(RunStatus)


def test_a_pending_run_cannot_complete_without_having_run():
    with pytest.raises(TransitionForbidden):
        a_run().becomes(RunStatus.COMPLETED, NOON)


def test_a_claim_starts_the_clock():
    run = a_run().claimed(attempt=1, claim_id=CLAIM, task_arn=TASK_ARN, at=later(seconds=90))
    assert run.status is RunStatus.RUNNING
    assert run.started_at == later(seconds=90)
    assert run.deadline == later(seconds=690)


def test_the_same_claim_again_changes_nothing():
    run = a_running_run()
    assert run.claimed(attempt=1, claim_id=CLAIM, task_arn=TASK_ARN, at=later(seconds=20)) == run


def test_a_runner_that_does_not_know_its_task_is_refused():
    with pytest.raises(ClaimRefused):
        a_run(task_arn=TASK_ARN).claimed(attempt=1, claim_id=CLAIM, task_arn=None, at=NOON)


def test_a_second_claim_is_refused():
    with pytest.raises(ClaimRefused):
        a_running_run().claimed(attempt=1, claim_id="d" * 32, task_arn=TASK_ARN, at=later(seconds=20))


def test_a_claim_by_another_attempt_is_refused():
    with pytest.raises(ClaimRefused):
        a_run(attempt=2).claimed(attempt=1, claim_id=CLAIM, task_arn=TASK_ARN, at=NOON)


@pytest.mark.parametrize("status", [RunStatus.CANCELLING, *TERMINAL])
def test_a_claim_of_a_run_that_does_not_wait_is_refused(status):
    with pytest.raises(ClaimRefused) as refused:
        a_run(status=status).claimed(attempt=1, claim_id=CLAIM, task_arn=TASK_ARN, at=NOON)
    assert refused.value.status == status


def test_a_claim_of_a_run_that_is_being_stopped_is_refused():
    run = a_run().stopping(RunErrorCode.START_TIMEOUT, later(minutes=10))
    with pytest.raises(ClaimRefused):
        run.claimed(attempt=1, claim_id=CLAIM, task_arn=TASK_ARN, at=later(minutes=11))


def test_a_heartbeat_moves_the_sign_of_life_and_not_the_sweep():
    run = a_running_run()
    beaten = run.beaten(attempt=1, claim_id=CLAIM, phase=Phase.RUNNING, message="at it", at=later(seconds=30))
    assert (beaten.heartbeat_at, beaten.check_at) == (later(seconds=30), run.check_at)
    assert beaten.progress is not None
    assert beaten.progress.phase is Phase.RUNNING


def test_a_heartbeat_of_a_cancelled_run_tells_the_runner_to_stop():
    run = a_running_run().cancel_requested("enough", later(seconds=20))
    with pytest.raises(ClaimRefused):
        run.beaten(attempt=1, claim_id=CLAIM, phase=Phase.RUNNING, message=None, at=later(seconds=30))


def test_a_heartbeat_with_a_foreign_claim_is_refused():
    with pytest.raises(ClaimRefused):
        a_running_run().beaten(attempt=1, claim_id="d" * 32, phase=Phase.RUNNING, message=None, at=NOON)


def test_a_report_is_taken_while_the_run_is_being_cancelled():
    run = a_running_run().cancel_requested(None, later(seconds=20)).reported(a_report(), claim_id=CLAIM)
    assert run.result == a_report().result
    assert run.status is RunStatus.CANCELLING


def test_the_first_report_stands():
    run = a_running_run().reported(a_report(), claim_id=CLAIM)
    assert run.reported(a_report(exit_code=9), claim_id=CLAIM) == run


def test_a_report_after_the_end_is_refused():
    with pytest.raises(ClaimRefused):
        a_running_run(status=RunStatus.TIMEOUT).reported(a_report(), claim_id=CLAIM)


@pytest.mark.parametrize("status", TERMINAL)
def test_a_run_that_has_ended_cannot_be_cancelled(status):
    with pytest.raises(RunAlreadyEnded) as refused:
        a_run(status=status).cancel_requested(None, NOON)
    assert refused.value.status == status


def test_the_first_cancel_stands():
    run = a_run().cancel_requested("first", later(seconds=1))
    assert run.cancel_requested("second", later(seconds=2)) == run


def test_the_first_reason_to_stop_stands():
    run = a_running_run().stopping(RunErrorCode.HEARTBEAT_LOST, later(seconds=90))
    assert run.stopping(RunErrorCode.RUN_TIMEOUT, later(seconds=99)) == run


def test_a_launch_is_noted_only_until_a_claim():
    assert a_run().noted("first").noted("second").task_arn == "first"
    assert a_running_run().noted("other").task_arn == TASK_ARN


@pytest.mark.parametrize("status", [RunStatus.PENDING, RunStatus.RUNNING, RunStatus.CANCELLING])
def test_a_run_holds_a_slot_and_a_place_in_the_sweep_while_it_lives(status):
    run = a_run(status=status)
    assert run.holds_slot
    assert run.active_shard is not None


def shards_of(status):
    """The shards that two hundred runs of the status are in."""
    return {a_run(run_id=f"01Q3ENHRG0{number:016d}", status=status).active_shard for number in range(200)}


@pytest.mark.parametrize("status", [RunStatus.PENDING, RunStatus.RUNNING, RunStatus.CANCELLING])
def test_runs_with_compute_are_spread_over_their_shards(status):
    assert shards_of(status) == set(ACTIVE_SHARDS)


def test_runs_that_wait_are_spread_over_shards_of_their_own():
    assert shards_of(RunStatus.QUEUED) == set(QUEUED_SHARDS)
    assert not set(QUEUED_SHARDS) & set(ACTIVE_SHARDS)


@pytest.mark.parametrize("status", TERMINAL)
def test_a_run_that_has_ended_holds_nothing(status):
    run = a_run(status=status)
    assert not run.holds_slot
    assert run.active_shard is None


def test_runs_spread_over_the_shards():
    shards = {replace(a_run(), run_id=f"01Q3ENHRG0{number:016d}").active_shard for number in range(100)}
    assert len(shards) == 8
