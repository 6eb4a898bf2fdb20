"""However a promotion ends, that is told once, with nothing alive, and nothing half done is told as done."""

import time

import pytest

from ..scripted_platform import failure
from .promotion_platform import BRANCH
from .upstream import git_that_first


def terminate(runner):
    """The exit code, and the seconds that the program took to end."""
    asked_at = time.monotonic()
    runner.terminate()
    return runner.wait(), time.monotonic() - asked_at


def test_a_stop_while_git_pushes_is_told_and_ends_it(platform, start, held_push, at_work):
    runner = start()
    held_push.wait()
    code, seconds = terminate(runner)
    assert (code, seconds < 8) == (143, True)
    assert platform.completion["outcome"] == "failed"
    assert platform.completion["error"] == {
        "code": "PROMOTION_TIMEOUT",
        "message": "The promotion was stopped before its end.",
    }
    assert platform.completion["commit"] is None
    assert at_work() == []


def test_a_stop_while_github_does_not_answer_tells_that_the_branch_is_there(platform, start, upstream, silent_url):
    runner = start(host=platform.claim["host"] | {"apiUrl": silent_url})
    runner.wait_until_it_shows("Opening the pull request")
    code, seconds = terminate(runner)
    assert (code, seconds < 8) == (143, True)
    assert platform.completion["error"]["code"] == "PROMOTION_TIMEOUT"
    assert platform.completion["commit"] == upstream.find(BRANCH)
    assert platform.completion["pullRequest"] is None


def test_a_stop_during_the_claims_retries_claims_no_more(platform, start):
    platform.always["/promotion/claim"] = failure(503)
    runner = start()
    platform.wait_for_call("/promotion/claim")
    code, seconds = terminate(runner)
    assert (code, seconds < 5) == (143, True)


def test_the_deadline_is_told(platform, run, tmp_path, at_work):
    runner = run(git_that_first(tmp_path, "merge-tree", "sleep 60"), deadlineSeconds=0)
    assert runner.process.returncode == 10
    assert platform.completion["error"] == {
        "code": "PROMOTION_TIMEOUT",
        "message": "The promotion did not end within its 0 seconds.",
    }
    assert at_work() == []


def test_a_repository_that_says_nothing_is_given_up_at_the_deadline(platform, run, silent_url, error, at_work):
    runner = run(repo={"url": f"{silent_url}/project.git"}, deadlineSeconds=2)
    assert runner.process.returncode == 10
    assert error()["code"] == "PROMOTION_TIMEOUT"
    assert runner.seconds < 10
    assert at_work() == []


@pytest.mark.parametrize("status", [401, 409])
def test_a_claim_that_is_refused_is_the_end(platform, run, upstream, status):
    platform.always["/promotion/claim"] = failure(status)
    assert run().process.returncode == 20
    assert len(platform.calls) == 1
    assert upstream.branches() == ["main"]


def test_a_claim_whose_answer_is_lost_is_asked_for_again_as_the_same(platform, run):
    platform.script["/promotion/claim"].append(failure(503))
    assert run().process.returncode == 0
    first, again = platform.calls_to("/promotion/claim")
    assert first.body == again.body


def test_a_broker_that_cannot_be_reached_is_given_up(platform, run):
    platform.always["/promotion/claim"] = failure(503)
    assert run({"OUTPOST_CLAIM_PATIENCE_SECONDS": "1"}).process.returncode == 21


def test_a_claim_that_cannot_be_read_is_no_claim(platform, run):
    runner = run({"OUTPOST_CLAIM_PATIENCE_SECONDS": "1"}, baseSha="main")
    assert runner.process.returncode == 21
    assert "claim.baseSha is no commit" in runner.raw.decode()


def test_the_claim_is_made_with_the_bootstrap_token_and_the_end_with_the_sessions(platform, run):
    run()
    assert [call.authorization for call in platform.calls if call.route.startswith("/promotion/")] == [
        "Bearer bootstrap-token-of-the-test",
        "Bearer session-token-of-the-promotion",
    ]


def test_the_end_is_told_again_after_what_passes(platform, run):
    platform.script["/promotion/complete"].append(failure(503))
    assert run().process.returncode == 0
    assert len(platform.calls_to("/promotion/complete")) == 2


def test_an_end_that_is_not_taken_is_no_success(platform, run):
    platform.always["/promotion/complete"] = failure(409)
    assert run().process.returncode == 13


def test_an_end_that_the_broker_cannot_read_is_told_in_its_smallest_form(platform, run, upstream):
    upstream.hook("pre-receive", "exit 1")
    platform.script["/promotion/complete"].append(failure(400, "VALIDATION_ERROR"))
    assert run().process.returncode == 10
    assert platform.completion["error"] == {
        "code": "PUSH_REFUSED",
        "message": "The report of the end was refused; this is its smallest form.",
    }


def test_the_smallest_form_of_a_success_is_one(platform, run):
    platform.script["/promotion/complete"].append(failure(400, "VALIDATION_ERROR"))
    assert run().process.returncode == 0
    assert (platform.completion["outcome"], platform.completion["compareUrl"]) == ("promoted", None)
    assert platform.completion["pullRequest"]["number"] == 1


@pytest.mark.parametrize("missing", ["RUN_ID", "TENANT_ID", "ATTEMPT", "API_URL", "BOOTSTRAP_TOKEN"])
def test_a_setting_that_is_missing_is_named(platform, run, missing):
    runner = run({missing: ""})
    assert runner.process.returncode == 12
    assert missing in runner.raw.decode()
