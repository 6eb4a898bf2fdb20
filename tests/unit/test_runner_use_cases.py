import pytest
from builders import CLAIM, TASK_ARN, a_report, a_run, a_running_run, later

from outpost.domain.errors import CallerUnknown, ClaimRefused, RunNotFound
from outpost.domain.report import Artifact, Phase
from outpost.domain.run import RunStatus
from outpost.domain.token import Purpose, sign
from outpost.use_cases.claim_run import RunnerIdentity, claim_run, identify_runner
from outpost.use_cases.complete_run import complete_run
from outpost.use_cases.grant_uploads import grant_uploads
from outpost.use_cases.record_heartbeat import record_heartbeat

RUNNER = RunnerIdentity("acme", a_run().run_id, 1, CLAIM)
PATCH = Artifact(1, "changes.patch", "patch", 10, "0" * 64, "text/x-diff")
CHANGE = ("runs", "clock", "identifiers")


def claim(world, claim_id=CLAIM):
    return claim_run(RUNNER, claim_id=claim_id, task_arn=TASK_ARN, **world.ports(*CHANGE, "files", "signing_key"))


def beat(world, phase=Phase.RUNNING):
    return record_heartbeat(RUNNER, phase=phase, message=None, **world.ports(*CHANGE))


def test_a_claim_hands_out_the_task_and_a_session_of_its_own(world):
    world.add(a_run())
    claimed = claim(world)
    session = identify_runner(
        claimed.session_token, Purpose.RUNNER_SESSION, signing_key=world.signing_key, clock=world.clock
    )
    assert claimed.task == "echo hello"
    assert session == RUNNER
    assert world.run().status is RunStatus.RUNNING
    assert world.event_types() == ["run.running"]


def test_a_claim_whose_answer_was_lost_can_be_repeated(world):
    world.add(a_run())
    assert claim(world) == claim(world)
    assert world.event_types() == ["run.running"]


def test_a_long_task_is_fetched_for_the_runner(world):
    world.add(a_run(task_in_bucket=True))
    world.files.put_task("acme", a_run().run_id, "the whole text")
    assert claim(world).task == "the whole text"


def test_a_second_runner_gets_nothing(world):
    world.add(a_run())
    claim(world)
    with pytest.raises(ClaimRefused):
        claim(world, "d" * 32)


def test_the_runner_of_no_run_is_refused(world):
    with pytest.raises(RunNotFound):
        claim(world)


@pytest.mark.parametrize("token", [None, "", "nonsense", "otp_" + "a" * 64])
def test_a_token_that_is_none_identifies_nobody(world, token):
    with pytest.raises(CallerUnknown):
        identify_runner(token, Purpose.RUNNER_SESSION, signing_key=world.signing_key, clock=world.clock)


def test_a_bootstrap_token_is_no_session(world):
    token = sign(world.signing_key.value(), Purpose.RUNNER_BOOTSTRAP, {"tenant": "acme", "run": "r", "attempt": 1})
    with pytest.raises(CallerUnknown):
        identify_runner(token, Purpose.RUNNER_SESSION, signing_key=world.signing_key, clock=world.clock)


def test_only_a_new_phase_is_an_event(world):
    world.add(a_running_run())
    beat(world, Phase.CLONING)
    beat(world, Phase.CLONING)
    beat(world, Phase.RUNNING)
    assert world.event_types() == ["run.progress", "run.progress"]


def test_a_heartbeat_is_refused_once_the_run_is_cancelled(world):
    world.add(a_running_run().cancel_requested(None, later(seconds=20)))
    with pytest.raises(ClaimRefused):
        beat(world)


def test_results_of_a_cancelled_run_may_still_be_stored(world):
    world.add(a_running_run().cancel_requested(None, later(seconds=20)))
    urls = grant_uploads(RUNNER, [PATCH], **world.ports("runs", "files", "clock"))
    run = complete_run(RUNNER, a_report(), [PATCH], **world.ports(*CHANGE))
    assert len(urls) == 1
    assert run.result == a_report().result
    assert world.runs.artifacts("acme", run.run_id, 1) == (PATCH,)


def test_uploads_after_the_end_are_refused(world):
    world.add(a_running_run(status=RunStatus.CANCELLED))
    with pytest.raises(ClaimRefused):
        grant_uploads(RUNNER, [PATCH], **world.ports("runs", "files", "clock"))


def test_uploads_for_another_claim_are_refused(world):
    world.add(a_running_run(claim_id="d" * 32))
    with pytest.raises(ClaimRefused):
        grant_uploads(RUNNER, [PATCH], **world.ports("runs", "files", "clock"))


def test_a_report_does_not_end_the_run(world):
    world.add(a_running_run())
    assert complete_run(RUNNER, a_report(), [], **world.ports(*CHANGE)).status is RunStatus.RUNNING


def test_a_report_sent_twice_is_recorded_once(world):
    world.add(a_running_run())
    first = complete_run(RUNNER, a_report(), [PATCH], **world.ports(*CHANGE))
    assert complete_run(RUNNER, a_report(exit_code=1), [], **world.ports(*CHANGE)) == first
    assert world.event_types() == ["run.reported"]
