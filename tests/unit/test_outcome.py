import pytest
from builders import CLAIM, TASK_ARN, a_report, a_run, a_running_run, a_stopped_task, evidence_of, later

from outpost.domain.outcome import Evidence, NeverLaunched, StopCode, settle
from outpost.domain.report import ReportedOutcome
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunError, RunErrorCode

END = later(seconds=80)


def settled(run, task):
    return settle(run, evidence_of(task), END)


def reported(**changes):
    return a_running_run().reported(a_report(**changes), claim_id=CLAIM)


def test_success_needs_the_report_and_the_containers_own_end():
    run = settled(reported(), a_stopped_task())
    assert run.status is RunStatus.COMPLETED
    assert (run.error, run.exit_code) == (None, 0)
    assert (run.ended_at, run.compute_stopped_at) == (END, later(seconds=70))


@pytest.mark.parametrize(
    "contradiction",
    [
        {"exit_code": None},
        {"exit_code": 1},
        {"stop_code": StopCode.USER_INITIATED},
        {"stop_code": StopCode.SPOT_INTERRUPTION},
        {"stop_code": None},
    ],
)
def test_a_reported_success_that_the_compute_does_not_confirm_is_a_failure(contradiction):
    assert settled(reported(), a_stopped_task(**contradiction)).status is RunStatus.FAILED


def test_exit_code_zero_without_a_report_is_a_failure():
    run = settled(a_running_run(), a_stopped_task())
    assert (run.status, run.error.code) == (RunStatus.FAILED, RunErrorCode.COMPUTE_LOST)


def test_a_report_of_an_earlier_attempt_counts_for_nothing():
    run = settle(
        reported().__class__(**{**reported().__dict__, "attempt": 2}), evidence_of(a_stopped_task(attempt=2)), END
    )
    assert run.status is RunStatus.FAILED


def test_an_agents_failure_keeps_its_own_code_and_exit_code():
    error = RunError.of(RunErrorCode.CLONE_FAILED, "no such repository")
    run = settled(reported(outcome=ReportedOutcome.FAILED, exit_code=3, error=error), a_stopped_task(exit_code=12))
    assert (run.status, run.error, run.exit_code) == (RunStatus.FAILED, error, 3)


def test_a_reported_timeout_is_a_timeout():
    error = RunError.of(RunErrorCode.RUN_TIMEOUT, "out of time")
    run = settled(reported(outcome=ReportedOutcome.TIMEOUT, exit_code=None, error=error), a_stopped_task(exit_code=11))
    assert (run.status, run.error.code) == (RunStatus.TIMEOUT, RunErrorCode.RUN_TIMEOUT)


def test_a_cancelled_run_ends_cancelled_even_if_the_agent_had_succeeded():
    run = settled(reported().cancel_requested("enough", later(seconds=65)), a_stopped_task())
    assert (run.status, run.error.code) == (RunStatus.CANCELLED, RunErrorCode.CANCELLED_BY_USER)
    assert "enough" in run.error.message


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (RunErrorCode.HEARTBEAT_LOST, RunStatus.FAILED),
        (RunErrorCode.RUN_TIMEOUT, RunStatus.TIMEOUT),
        (RunErrorCode.START_TIMEOUT, RunStatus.TIMEOUT),
    ],
)
def test_the_reason_why_the_control_plane_stopped_it_becomes_the_error(code, status):
    run = settled(
        a_running_run().stopping(code, later(seconds=60)),
        a_stopped_task(stop_code=StopCode.USER_INITIATED, exit_code=137),
    )
    assert (run.status, run.error.code) == (status, code)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ({"stop_code": StopCode.TASK_FAILED_TO_START, "exit_code": None}, RunErrorCode.AGENT_START_FAILED),
        ({"stop_code": StopCode.SPOT_INTERRUPTION, "exit_code": 143}, RunErrorCode.COMPUTE_LOST),
        ({"stop_code": StopCode.INFRASTRUCTURE_HEALTH, "exit_code": None}, RunErrorCode.COMPUTE_LOST),
        ({"stop_code": StopCode.USER_INITIATED, "exit_code": 143}, RunErrorCode.COMPUTE_LOST),
        ({"stopped_reason": "OutOfMemoryError: container killed", "exit_code": 137}, RunErrorCode.OUT_OF_MEMORY),
        ({"exit_code": 137}, RunErrorCode.COMPUTE_LOST),
        ({"stop_code": StopCode("ACodeOfTomorrow"), "exit_code": 0}, RunErrorCode.COMPUTE_LOST),
    ],
)
def test_without_a_report_the_computes_end_names_the_error(end, code):
    run = settled(a_running_run(attempt=3), a_stopped_task(attempt=3, **end))
    assert (run.status, run.error.code) == (RunStatus.FAILED, code)


def test_a_container_that_ends_before_its_claim_failed_to_start():
    run = settled(a_run(), a_stopped_task(exit_code=21))
    assert run.error.code is RunErrorCode.AGENT_START_FAILED


def test_a_refused_launch_ends_the_run_without_compute():
    evidence = Evidence(3, never_launched=NeverLaunched.LAUNCH_REFUSED, detail="ECS.ClientException: no such family")
    run = settle(a_run(attempt=3), evidence, END)
    assert (run.status, run.error.code) == (RunStatus.FAILED, RunErrorCode.AGENT_START_FAILED)
    assert "no such family" in run.error.message
    assert run.compute_stopped_at is None


@pytest.mark.parametrize(
    ("run", "evidence"),
    [
        (a_running_run(), evidence_of(a_stopped_task(is_stopped=False))),
        (a_running_run(), evidence_of(a_stopped_task(task_arn="another"))),
        (a_running_run(), Evidence(1)),
        (a_running_run(), Evidence(1, never_launched=NeverLaunched.EXECUTION_ENDED)),
        (a_running_run(attempt=2), evidence_of(a_stopped_task())),
        (a_running_run(status=RunStatus.COMPLETED), evidence_of(a_stopped_task(exit_code=1))),
        (a_running_run(status=RunStatus.CANCELLED), evidence_of(a_stopped_task())),
    ],
)
def test_evidence_that_proves_nothing_changes_nothing(run, evidence):
    assert settle(run, evidence, END) == run


def test_a_run_without_a_known_task_is_settled_by_the_task_that_names_it():
    assert settle(a_run(), evidence_of(a_stopped_task(task_arn=TASK_ARN)), END).status.is_terminal


@pytest.mark.parametrize(
    "reason",
    [
        "CannotPullContainerError: pull image 123456789012.dkr.ecr.us-east-1.amazonaws.com/outpost-shell:latest: none",
        "The Task state in execution [arn:aws:states:us-east-1:123456789012:execution:a:b] was aborted",
        "User arn:aws:sts::123456789012:assumed-role/x/y may not ecs:RunTask on 123456789012",
    ],
)
def test_what_aws_said_is_told_without_the_deployments_inside(reason):
    task = a_stopped_task(attempt=3, stop_code=StopCode.TASK_FAILED_TO_START, stopped_reason=reason)
    run = settled(a_running_run(attempt=3), task)
    assert "arn:" not in run.error.message
    assert "123456789012" not in run.error.message
    assert "[…]" in run.error.message


LOST_BENEATH_THE_AGENT = [
    {"stop_code": StopCode.TASK_FAILED_TO_START, "exit_code": None},
    {"stop_code": StopCode.SPOT_INTERRUPTION, "exit_code": 143},
    {"stop_code": StopCode.TERMINATION_NOTICE, "exit_code": None},
    {"stop_code": StopCode.INFRASTRUCTURE_HEALTH, "exit_code": None},
]


@pytest.mark.parametrize("end", LOST_BENEATH_THE_AGENT)
def test_an_attempt_that_was_lost_beneath_the_agent_is_followed_by_another(end):
    run = settled(a_running_run(), a_stopped_task(**end))
    assert (run.status, run.attempt) == (RunStatus.PENDING, 2)
    assert [lost.attempt for lost in run.lost_attempts] == [1]
    assert (run.claim_id, run.task_arn, run.started_at, run.heartbeat_at, run.progress) == (None,) * 5
    assert (run.report, run.result, run.exit_code, run.error, run.ended_at) == (None,) * 5


def test_a_refused_launch_is_followed_by_another_attempt():
    run = settle(a_run(), Evidence(1, never_launched=NeverLaunched.LAUNCH_REFUSED, detail="no capacity"), END)
    assert (run.status, run.attempt) == (RunStatus.PENDING, 2)
    assert "no capacity" in run.lost_attempts[0].error.message


@pytest.mark.parametrize("end", LOST_BENEATH_THE_AGENT)
def test_the_third_attempt_is_the_last(end):
    assert settled(a_running_run(attempt=3), a_stopped_task(attempt=3, **end)).status is RunStatus.FAILED


@pytest.mark.parametrize(
    "end",
    [
        {"exit_code": 137},
        {"exit_code": 0},
        {"stop_code": StopCode.USER_INITIATED},
        {"stopped_reason": "OutOfMemoryError"},
    ],
)
def test_what_the_agent_or_somebody_did_is_never_done_again(end):
    assert settled(a_running_run(), a_stopped_task(**end)).status is RunStatus.FAILED


def test_an_execution_that_ended_launches_no_further_attempt():
    evidence = Evidence(1, never_launched=NeverLaunched.EXECUTION_ENDED)
    assert settle(a_run(), evidence, END).status is RunStatus.FAILED


def test_a_lost_machine_does_not_undo_a_report_of_failure():
    error = RunError.of(RunErrorCode.AGENT_FAILED, "exit code 1")
    run = settled(
        reported(outcome=ReportedOutcome.FAILED, error=error), a_stopped_task(stop_code=StopCode.SPOT_INTERRUPTION)
    )
    assert (run.status, run.error) == (RunStatus.FAILED, error)


def test_a_runner_that_was_interrupted_by_a_reclaim_is_replaced():
    run = settled(
        reported(outcome=ReportedOutcome.CANCELLED), a_stopped_task(stop_code=StopCode.SPOT_INTERRUPTION, exit_code=143)
    )
    assert (run.status, run.attempt) == (RunStatus.PENDING, 2)


def test_a_cancelled_run_is_not_launched_again():
    run = settled(
        a_running_run().cancel_requested(None, later(seconds=20)), a_stopped_task(stop_code=StopCode.SPOT_INTERRUPTION)
    )
    assert run.status is RunStatus.CANCELLED


def test_a_run_that_is_being_stopped_is_not_launched_again():
    run = settled(
        a_running_run().stopping(RunErrorCode.HEARTBEAT_LOST, later(seconds=90)),
        a_stopped_task(stop_code=StopCode.SPOT_INTERRUPTION),
    )
    assert run.error.code is RunErrorCode.HEARTBEAT_LOST


def test_late_evidence_of_a_lost_attempt_changes_nothing():
    run = settled(a_running_run(), a_stopped_task(stop_code=StopCode.SPOT_INTERRUPTION))
    assert settled(run, a_stopped_task(exit_code=0)) == run
