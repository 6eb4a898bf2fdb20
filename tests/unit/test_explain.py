import pytest
from builders import CLAIM, TASK_ARN, a_report, a_run, a_running_run, a_stopped_task, evidence_of, later

from outpost.domain.explain import explain
from outpost.domain.outcome import StopCode, settle
from outpost.domain.run_error import RunErrorCode

NOW = later(seconds=100)


def test_a_run_that_waits_says_for_what_and_how_long():
    explanation = explain(a_run(), NOW)
    assert explanation.summary == "Attempt 1 of 3 has waited 100 s for its runner."
    assert explanation.waits_for == "its task to be launched; it is given up in 500 s"


def test_a_task_that_was_seen_is_waited_for_to_start():
    assert explain(a_run(task_arn=TASK_ARN), NOW).waits_for.startswith("its task to start;")


def test_a_run_at_work_says_what_it_is_at_and_when_it_was_heard():
    explanation = explain(a_running_run(), NOW)
    assert explanation.summary == "The runner is at work (claimed); it has had 90 of 600 s."
    assert "heard 90 s ago" in explanation.waits_for


def test_a_run_that_is_being_stopped_says_why():
    run = a_running_run().stopping(RunErrorCode.HEARTBEAT_LOST, later(seconds=90))
    assert explain(run, NOW).waits_for == "its compute to stop (HEARTBEAT_LOST)"


def test_a_cancel_waits_for_its_proof():
    explanation = explain(a_running_run().cancel_requested("enough", later(seconds=95)), NOW)
    assert explanation.waits_for == "proof from ECS that its compute has stopped"
    assert explanation.causes[-1].message == "A cancel was asked for: enough."


def test_the_causes_are_in_the_order_of_time():
    run = settle(a_running_run().reported(a_report(), claim_id=CLAIM), evidence_of(a_stopped_task()), later(seconds=71))
    explanation = explain(run, NOW)
    assert [cause.message for cause in explanation.causes] == [
        "The dispatch was accepted.",
        "A runner took attempt 1.",
        "The runner reported: succeeded, exit code 0.",
        "Its compute stopped.",
        "The run ended as COMPLETED.",
    ]
    assert (explanation.waits_for, explanation.remedy) == (None, None)


def test_a_failure_has_its_message_and_remedy():
    run = settle(a_running_run(), evidence_of(a_stopped_task(exit_code=137)), later(seconds=71))
    explanation = explain(run, NOW)
    assert (explanation.summary, explanation.remedy) == (run.error.message, run.error.remedy)
    assert explanation.retryable


@pytest.mark.parametrize("stop_code", [StopCode.SPOT_INTERRUPTION, StopCode.INFRASTRUCTURE_HEALTH])
def test_a_lost_attempt_is_among_the_causes(stop_code):
    run = settle(a_running_run(), evidence_of(a_stopped_task(stop_code=stop_code)), later(seconds=71))
    explanation = explain(run, NOW)
    assert explanation.summary == "Attempt 2 of 3 has waited 29 s for its runner."
    assert explanation.causes[1].message.startswith("Attempt 1 was lost:")
    assert explanation.remedy == "Nothing yet: it is tried again by itself."
