"""What the event of an end, or of another attempt, says."""

import pytest
from builders import CLAIM, TASK_ARN, a_report, a_run, a_running_run, a_stopped_task, evidence_of, later

from outpost.domain.outcome import StopCode
from outpost.domain.report import ReportedOutcome
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunError, RunErrorCode
from outpost.use_cases.finish_run import finish_run

LOST = evidence_of(a_stopped_task(stop_code=StopCode.SPOT_INTERRUPTION, exit_code=143))


def finish(world, evidence):
    return finish_run("acme", a_run().run_id, evidence, **world.ports("runs", "clock", "identifiers"))


@pytest.fixture
def second_attempt(world):
    """A run that lost its first attempt, at work in the second."""
    world.add(a_running_run())
    run = finish(world, LOST)
    claimed = run.claimed(attempt=2, claim_id=CLAIM, task_arn=TASK_ARN, at=later(seconds=90))
    world.runs.save(run, claimed, None)
    return claimed


def report(world, **changes):
    run = world.run()
    world.runs.save(run, run.reported(a_report(attempt=2, **changes), claim_id=CLAIM), None)


def last_event(world):
    event = world.runs.events[-1]
    return event.type, event.details


def test_a_lost_attempt_says_why_the_next_one_follows(world):
    world.add(a_running_run())
    assert finish(world, LOST).status is RunStatus.PENDING
    assert last_event(world) == ("run.relaunched", {"attempt": "2", "error": "COMPUTE_LOST"})


def test_a_second_attempt_that_completes_says_nothing_of_the_lost_one(world, second_attempt):
    report(world)
    assert finish(world, evidence_of(a_stopped_task(attempt=2))).status is RunStatus.COMPLETED
    assert last_event(world) == ("run.completed", {"attempt": "2"})


def test_a_second_attempt_that_fails_says_its_own_error(world, second_attempt):
    error = RunError.of(RunErrorCode.AGENT_FAILED, "no")
    report(world, outcome=ReportedOutcome.FAILED, exit_code=1, error=error)
    assert finish(world, evidence_of(a_stopped_task(attempt=2, exit_code=10))).status is RunStatus.FAILED
    assert last_event(world) == ("run.failed", {"attempt": "2", "error": "AGENT_FAILED"})


def test_a_second_attempt_that_is_lost_too_says_its_own_loss(world, second_attempt):
    finish(world, evidence_of(a_stopped_task(attempt=2, stop_code=StopCode.SPOT_INTERRUPTION, exit_code=143)))
    assert last_event(world) == ("run.relaunched", {"attempt": "3", "error": "COMPUTE_LOST"})


def test_evidence_of_a_lost_attempt_says_nothing_a_second_time(world, second_attempt):
    before = list(world.runs.events)
    assert finish(world, LOST).status is RunStatus.RUNNING
    assert world.runs.events == before
