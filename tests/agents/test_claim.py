"""The runner takes over a run once, or not at all."""

import pytest
from werkzeug.wrappers import Response

from .scripted_platform import BOOTSTRAP_TOKEN, SESSION_TOKEN, failure


def test_the_claim_carries_the_bootstrap_token_and_later_calls_the_session_token(platform, run):
    run("true")
    tokens = {call.route: call.authorization for call in platform.calls}
    assert tokens["/runner/claim"] == f"Bearer {BOOTSTRAP_TOKEN}"
    assert tokens["/runner/heartbeat"] == tokens["/runner/complete"] == f"Bearer {SESSION_TOKEN}"


def test_the_claim_names_the_task_that_the_metadata_endpoint_knows(platform, run):
    platform.always["/metadata/task"] = Response('{"TaskARN": "arn:aws:ecs:eu-west-1:123456789012:task/c/1"}')
    run("true", {"ECS_CONTAINER_METADATA_URI_V4": f"{platform.url}/metadata"})
    (claim,) = platform.calls_to("/runner/claim")
    assert claim.body["taskArn"] == "arn:aws:ecs:eu-west-1:123456789012:task/c/1"


def test_a_metadata_endpoint_that_is_slow_to_begin_is_asked_again(platform, run):
    platform.script["/metadata/task"].extend([failure(503, "STARTING"), failure(503, "STARTING")])
    platform.always["/metadata/task"] = Response('{"TaskARN": "arn:aws:ecs:eu-west-1:123456789012:task/c/1"}')
    run("true", {"ECS_CONTAINER_METADATA_URI_V4": f"{platform.url}/metadata"})
    (claim,) = platform.calls_to("/runner/claim")
    assert claim.body["taskArn"] == "arn:aws:ecs:eu-west-1:123456789012:task/c/1"


def test_without_a_metadata_endpoint_the_claim_has_no_task(platform, run):
    run("true")
    (claim,) = platform.calls_to("/runner/claim")
    assert claim.body["taskArn"] is None
    assert len(claim.body["claimId"]) == 32


@pytest.mark.parametrize("status", [401, 403, 404, 409])
def test_a_refused_claim_ends_the_runner_at_once(platform, run, status):
    platform.always["/runner/claim"] = failure(status)
    runner = run("true")
    assert runner.process.returncode == 20
    assert [call.route for call in platform.calls] == ["/runner/claim"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_claim_that_failed_in_passing_is_repeated_with_the_same_claim_id(platform, run, status):
    platform.script["/runner/claim"].append(failure(status))
    runner = run("true")
    first, second = platform.calls_to("/runner/claim")
    assert runner.process.returncode == 0
    assert first.body["claimId"] == second.body["claimId"]


def test_an_answer_that_is_no_claim_counts_as_unreachable(platform, run):
    platform.always["/runner/claim"] = Response('{"success": true, "data": {"sessionToken": 5}}')
    assert run("true", {"OUTPOST_CLAIM_PATIENCE_SECONDS": "1"}).process.returncode == 21


def test_a_broker_that_nobody_answers_for_is_given_up(start):
    runner = start("true", {"API_URL": "http://127.0.0.1:9", "OUTPOST_CLAIM_PATIENCE_SECONDS": "1"})
    assert runner.wait() == 21
    assert runner.seconds < 5


def test_a_stop_before_the_claim_ends_the_runner_at_once(start, platform):
    runner = start("true", {"API_URL": "http://127.0.0.1:9"})
    runner.wait_until_it_catches_signals()
    runner.terminate()
    assert runner.wait() == 143
    assert runner.seconds < 5
    assert platform.calls == []


def test_a_missing_setting_is_named(run, platform):
    runner = run("true", {"TENANT_ID": ""})
    assert runner.process.returncode == 12
    assert runner.lines("runner") == ["The environment variable TENANT_ID is missing."]


def test_two_runs_of_the_runner_make_two_claim_ids(run, platform, tmp_path):
    run("true")
    run("true", {"OUTPOST_TASK_ROOT": str(tmp_path / "other")})
    first, second = platform.calls_to("/runner/claim")
    assert first.body["claimId"] != second.body["claimId"]


def test_a_folder_that_holds_a_task_already_is_refused_before_the_claim(run, platform, task_root):
    (task_root / "private").mkdir(parents=True)
    assert run("true").process.returncode == 12
    assert platform.calls == []


def test_a_stop_that_comes_with_the_claims_answer_starts_no_agent(start, platform, task_root):
    platform.delay_seconds["/runner/claim"] = 1
    runner = start("touch started")
    platform.wait_for_call("/runner/claim")
    runner.terminate()
    assert runner.wait() == 143
    assert platform.completion["outcome"] == "cancelled"
    assert not (task_root / "workspace" / "started").exists()
