"""What callers see of a run's workspace, check, phase, and of what its runner has to say."""

import pytest
from builders import CLAIM, NOON, WORKSPACE, a_report, a_run, a_running_run, a_use, later

from outpost.api.views import run_view
from outpost.domain.origin import Origin, OriginKind
from outpost.domain.report import CheckVerdict, Omission, Phase, Progress, WorkspaceEnd
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunError, RunErrorCode
from outpost.use_cases.claim_run import RunnerIdentity
from outpost.use_cases.complete_run import complete_run

VERDICT = CheckVerdict(passed=False, exit_code=2, timed_out=False, output="1 failed", milliseconds=1_250)
RUNNER = RunnerIdentity("acme", a_run().run_id, 1, CLAIM)


def shown(run):
    return run_view(run, later(minutes=5))


def reported(**changes):
    return a_running_run(check="make test", workspace=a_use(), report=a_report(**changes))


@pytest.fixture
def details(world):
    """What the event of a report says."""

    def complete(**changes):
        world.add(a_running_run())
        complete_run(RUNNER, a_report(**changes), [], **world.ports("runs", "clock", "identifiers"))
        return world.runs.events[-1].details

    return complete


def test_a_run_that_waits_is_queued_since_it_does():
    progress = shown(a_run(status=RunStatus.QUEUED))["progress"]
    assert progress == {"phase": "queued", "message": None, "updatedAt": "2030-01-01T12:00:00.000Z"}


@pytest.mark.parametrize("run", [a_run(), a_running_run()], ids=["not claimed", "claimed"])
def test_until_its_runner_says_more_a_run_is_starting(run):
    assert shown(run)["progress"]["phase"] == "starting"


def test_the_next_attempt_is_starting_again():
    lost = RunError.of(RunErrorCode.COMPUTE_LOST, "reclaimed")
    working = a_running_run(progress=Progress(Phase.RUNNING, None, NOON))
    assert shown(working.relaunched(lost, later(minutes=1)))["progress"]["phase"] == "starting"


@pytest.mark.parametrize("phase", ["cloning", "context", "running", "checking", "collecting", "uploading"])
def test_the_runners_word_is_the_phase(phase):
    progress = Progress(Phase(phase), "halfway", later(minutes=1))
    assert shown(a_running_run(progress=progress))["progress"] == {
        "phase": phase,
        "message": "halfway",
        "updatedAt": "2030-01-01T12:01:00.000Z",
    }


def test_a_run_that_has_ended_has_no_progress():
    assert shown(a_run(status=RunStatus.FAILED))["progress"] is None


def test_a_run_without_a_check_shows_none():
    assert shown(a_running_run(report=a_report()))["check"] is None


@pytest.mark.parametrize("run", [a_run(check="make test"), reported()], ids=["not reported", "not judged"])
def test_before_its_verdict_a_check_is_its_command_alone(run):
    assert shown(run)["check"] == {
        "command": "make test",
        "passed": None,
        "exitCode": None,
        "timedOut": None,
        "output": None,
        "seconds": None,
    }


def test_a_verdict_is_shown_with_its_time_in_seconds():
    assert shown(reported(check=VERDICT))["check"] == {
        "command": "make test",
        "passed": False,
        "exitCode": 2,
        "timedOut": False,
        "output": "1 failed",
        "seconds": 1.25,
    }


def test_a_run_in_a_workspace_says_in_which():
    view = shown(a_run(workspace=a_use()))
    assert (view["workspaceMode"], view["workspaceId"], view["workspace"]) == ("persistent", WORKSPACE, None)


def test_a_run_without_one_is_ephemeral():
    view = shown(a_run())
    assert (view["workspaceMode"], view["workspaceId"], view["workspace"]) == ("ephemeral", None, None)


def test_what_became_of_the_workspace_is_shown():
    view = shown(reported(workspace=WorkspaceEnd(restored=True, saved=False, reason="too large")))
    assert view["workspace"] == {"restored": True, "saved": False, "reason": "too large"}


def test_notices_and_what_was_left_out_are_shown():
    view = shown(reported(notices=("Cloned instead.",), omitted=(Omission("big.bin", "too large"),)))
    assert view["notices"] == ["Cloned instead."]
    assert view["omitted"] == [{"name": "big.bin", "reason": "too large"}]


def test_a_run_that_has_not_reported_has_neither():
    view = shown(a_running_run())
    assert (view["notices"], view["omitted"]) == ([], [])


def test_a_run_says_where_it_comes_from():
    view = shown(a_run(origin=Origin("parent", OriginKind.FOLLOW_UP), batch_id="batch"))
    assert (view["parentRunId"], view["parentKind"], view["batchId"]) == ("parent", "follow-up", "batch")


def test_a_run_of_its_own_comes_from_nowhere():
    view = shown(a_run())
    assert (view["parentRunId"], view["parentKind"], view["batchId"]) == (None, None, None)


def test_a_plain_report_is_told_by_its_outcome(details):
    assert details() == {"attempt": "1", "outcome": "succeeded"}


@pytest.mark.parametrize(("passed", "word"), [(True, "passed"), (False, "failed")])
def test_the_event_of_a_report_tells_the_verdict(details, passed, word):
    assert details(check=CheckVerdict(passed, 0, False, "", 1))["check"] == word


def test_the_event_of_a_report_tells_what_was_left_out(details):
    omitted = (Omission("a.bin", "too large"), Omission("b", "a link"))
    assert details(omitted=omitted)["leftOut"] == "a.bin: too large; b: a link"


def test_the_event_of_a_report_tells_its_notices(details):
    assert details(notices=("One.", "Two."))["notices"] == "One. Two."


def test_an_event_stays_small(details):
    told = details(notices=("x" * 200,) * 20, omitted=(Omission("n" * 255, "r" * 200),) * 20)
    assert (len(told["notices"]), len(told["leftOut"])) == (1_000, 1_000)
