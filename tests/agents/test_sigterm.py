"""A SIGTERM in any phase ends the runner within its grace, not as a success, with nothing alive and the work kept."""

import os
import shutil
import time

import pytest

from .scripted_platform import failure

LONG = 20  # seconds, longer than any grace here


def terminate(runner):
    """The exit code, and the seconds that the runner took to end."""
    asked_at = time.monotonic()
    runner.terminate()
    return runner.wait(), time.monotonic() - asked_at


@pytest.fixture
def slow_add(tmp_path):
    """An environment whose git takes so many seconds to stage the agent's work."""

    def make(seconds):
        script = tmp_path / "bin" / "git"
        script.parent.mkdir()
        script.write_text(f'#!/bin/sh\n[ "$1" != add ] || sleep {seconds}\nexec {shutil.which("git")} "$@"\n')
        script.chmod(0o755)
        return {"PATH": f"{script.parent}:{os.environ['PATH']}"}

    return make


def wait_for(condition):
    ends_at = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < ends_at, "it never came true"
        time.sleep(0.02)


def test_during_the_claims_retries_it_is_claimed_no_more(platform, start):
    platform.always["/runner/claim"] = failure(503)
    runner = start()
    wait_for(lambda: len(platform.calls) >= 2)
    code, seconds = terminate(runner)
    assert (code, seconds < 3) == (143, True)
    assert [call for call in platform.calls if call.at > time.monotonic() - seconds + 0.5] == []


def test_while_the_claims_answer_does_not_come(platform, start, task_root):
    platform.delay_seconds["/runner/claim"] = LONG
    runner = start("touch started")
    platform.wait_for_call("/runner/claim")
    code, seconds = terminate(runner)
    assert (code, seconds < 5) == (143, True)
    assert not (task_root / "workspace").exists()


def test_while_cloning(platform, start, silent_url, at_work):
    platform.claim["run"]["repo"] = {"url": f"{silent_url}/project.git", "branch": None}
    runner = start(stopGraceSeconds=4)
    wait_for(at_work)
    code, seconds = terminate(runner)
    assert (code, seconds < 4) == (143, True)
    assert platform.completion["outcome"] == "cancelled"
    assert at_work() == []


def test_while_the_agent_runs(platform, start, cloned, at_work):
    runner = start("echo partial > partial.txt; echo ready; sleep 60", stopGraceSeconds=4)
    runner.wait_until_it_shows('"ready"')
    assert at_work() != []
    code, seconds = terminate(runner)
    assert (code, seconds < 4) == (143, True)
    assert b"partial.txt" in platform.objects["changes.patch"]
    assert at_work() == []


def test_while_the_patch_is_made(platform, start, cloned, slow_add, at_work):
    runner = start("echo done > done.txt", slow_add(1), stopGraceSeconds=6)
    platform.wait_for_phase("collecting")
    code, seconds = terminate(runner)
    assert (code, seconds < 6) == (143, True)
    assert platform.completion["outcome"] == "cancelled"
    assert b"done.txt" in platform.objects["changes.patch"]
    assert at_work() == []


def test_while_a_patch_is_made_that_takes_too_long(platform, start, cloned, slow_add, at_work):
    runner = start("echo done > done.txt; echo said", slow_add(60), stopGraceSeconds=4)
    platform.wait_for_phase("collecting")
    code, seconds = terminate(runner)
    assert (code, seconds < 4) == (143, True)
    assert platform.objects["output.log"] == b"said\n"
    reason = "Making the patch took longer than the time left for it."
    assert {"name": "changes.patch", "reason": reason} in platform.completion["omitted"]
    assert at_work() == []


def test_while_the_store_takes_an_upload_and_does_not_answer(platform, start, cloned, at_work):
    platform.delay_seconds["/store/output.log"] = LONG
    runner = start("echo done > done.txt; echo said", stopGraceSeconds=4)
    platform.wait_for_upload("output.log")
    code, seconds = terminate(runner)
    assert (code, seconds < 4) == (143, True)
    assert b"done.txt" in platform.objects["changes.patch"]
    assert [upload["name"] for upload in platform.completion["uploads"]] == ["changes.patch"]
    assert platform.completion["omitted"] == [{"name": "output.log", "reason": "It could not be uploaded."}]
    assert at_work() == []


def test_while_the_broker_gives_no_address(platform, start):
    platform.delay_seconds["/runner/uploads"] = LONG
    runner = start("echo said", stopGraceSeconds=4)
    platform.wait_for_call("/runner/uploads")
    code, seconds = terminate(runner)
    assert (code, seconds < 4) == (143, True)
    assert platform.completion["outcome"] == "cancelled"


def test_while_the_end_is_told_it_is_no_success_any_more(platform, start):
    platform.delay_seconds["/runner/complete"] = 0.5
    runner = start()
    platform.wait_for_call("/runner/complete")
    code, seconds = terminate(runner)
    assert (code, seconds < 3) == (143, True)
    assert platform.completion["outcome"] == "succeeded"


def test_while_the_broker_does_not_answer_to_the_end(platform, start):
    platform.delay_seconds["/runner/complete"] = LONG
    runner = start(stopGraceSeconds=3)
    platform.wait_for_call("/runner/complete")
    code, seconds = terminate(runner)
    assert (code, seconds < 4) == (13, True)
