"""The caller's check runs on what the agent left, and its verdict is told beside the run's outcome."""

import os

import pytest

from .scripted_platform import NO_CREDENTIALS, failure

SECRET = "secret-of-the-caller-0123456789"


@pytest.fixture
def check(platform, run):
    """Run a task and check it; gives what the report says of the check."""

    def check_it(command, task="true", **claim):
        platform.claim["run"]["check"] = command
        run(task, **claim)
        return platform.completion["check"]

    return check_it


def test_a_check_that_ends_with_zero_has_passed(check):
    told = check("echo fine; test -e made", "touch made")
    assert told | {"seconds": 0} == {"exitCode": 0, "passed": True, "timedOut": False, "output": "fine", "seconds": 0}
    assert 0 < told["seconds"] < 10


def test_a_check_that_fails_leaves_the_run_a_success(platform, check):
    told = check("echo broken >&2; exit 3")
    assert (told["exitCode"], told["passed"], told["output"]) == (3, False, "broken")
    assert (platform.completion["outcome"], platform.completion["error"]) == ("succeeded", None)


def test_without_a_check_nothing_is_told_of_one(platform, run):
    run("true")
    assert platform.completion["check"] is None
    assert "checking" not in platform.phases


def test_a_failed_agent_is_checked_too(platform, check):
    assert check("true", "exit 4")["passed"] is True
    assert platform.completion["error"]["code"] == "AGENT_FAILED"


def test_it_is_a_phase_of_the_run(platform, check):
    platform.delay_seconds["/runner/uploads"] = 0.5  # long enough to be told of
    check("sleep 0.5")
    assert platform.phases.index("checking") < platform.phases.index("uploading")


def test_its_output_is_in_the_log_after_the_agents(platform, run):
    platform.claim["run"]["check"] = "echo of the check; echo complaint >&2"
    runner = run("echo of the agent")
    assert runner.lines("stdout") == ["of the agent", "of the check"]
    assert runner.lines("stderr") == ["complaint"]
    shown = runner.raw.decode()
    assert shown.index("of the agent") < shown.index("Running the check") < shown.index('"of the check"')
    assert platform.objects["output.log"].startswith(b"of the agent\n")
    assert sorted(platform.objects["output.log"].splitlines()[1:]) == [b"complaint", b"of the check"]


def test_it_runs_where_and_as_the_agent_did(platform, run):
    look = "pwd; env | grep -v '^_=' | grep -v SHLVL | sort; id -u"
    platform.claim["run"]["check"] = look
    lines = run(look, credentials=NO_CREDENTIALS | {"environment": {"MINE": SECRET}}).lines("stdout")
    middle = len(lines) // 2
    assert lines[:middle] == lines[middle:]
    assert "MINE=[redacted]" in lines


def test_secrets_are_not_in_its_output_nor_in_its_announcement(platform, run):
    platform.claim["run"]["check"] = f"echo $MINE {SECRET}"
    runner = run("true", credentials=NO_CREDENTIALS | {"environment": {"MINE": SECRET}})
    assert platform.completion["check"]["output"] == "[redacted] [redacted]"
    assert SECRET not in runner.raw.decode()


def test_the_end_of_a_long_output_is_told(check):
    output = check("seq 1 100000; echo end")["output"]
    assert len(output) == 4000
    assert output.endswith("99999\n100000\nend")


def test_a_line_without_an_end_is_told_as_far_as_it_fits(check):
    assert check("head -c 3000000 /dev/zero | tr '\\0' x")["output"] == "x" * 4000


def test_an_agent_that_used_up_its_output_leaves_room_for_the_checks(platform, run):
    platform.claim["run"]["check"] = "echo of the check"
    platform.claim["limits"]["outputBytes"] = 100
    assert run("seq 1 1000").lines("stdout")[-1] == "of the check"


def test_what_it_leaves_is_not_in_the_patch(platform, check, cloned):
    check("touch left; echo more >> README.md", "echo new > new.txt")
    assert b"left" not in platform.objects["changes.patch"]
    assert platform.completion["result"]["filesChanged"] == 1


def test_the_tree_is_whole_for_it(platform, check, cloned):
    task = "echo new > new; git add new; git commit -qm mine; git init -q inner; git init -q inner/most; mkfifo pipe"
    told = check("git log -1 --format=%s; git -C inner/most rev-parse --git-dir; test -p pipe; echo $?", task)
    assert told["output"] == "mine\n.git\n0"


def test_it_may_leave_artifacts(platform, check):
    check('echo report > "$OUTPOST_ARTIFACTS_DIR/report.txt"')
    assert platform.objects["report.txt"] == b"report\n"


def test_a_check_that_cannot_be_run_has_not_passed(check):
    told = check("no-such-program-at-all")
    assert (told["exitCode"], told["passed"]) == (127, False)


def test_a_check_of_a_tree_that_is_gone_has_not_passed(check):
    told = check("true", "rm -rf ../workspace")
    assert (told["exitCode"], told["passed"], told["timedOut"]) == (None, False, False)
    assert "could not be started" in told["output"]


def test_it_ends_at_the_runs_deadline(platform, check, living, mark):
    told = check(f"echo begun; sleep 60; : {mark}", timeoutSeconds=3)
    assert (told["passed"], told["timedOut"], told["output"].splitlines()[0]) == (False, True, "begun")
    assert platform.completion["outcome"] == "succeeded"
    assert living() == []


def test_it_ends_with_everything_that_it_started(check, living, mark):
    left = f"bash -c '(exec -a {mark} sleep 60) & setsid bash -c \"sleep 60; : {mark}\" &'; echo left"
    assert check(left)["output"] == "left"
    assert living() == []


def test_a_stop_ends_it_and_cancels_the_run(platform, start):
    platform.claim["run"]["check"] = "echo checking; sleep 60"
    runner = start("true")
    runner.wait_until_it_shows('"checking"')
    runner.terminate()
    assert runner.wait() == 143
    assert platform.completion["outcome"] == "cancelled"
    assert (platform.completion["check"]["passed"], platform.completion["check"]["timedOut"]) == (False, False)


def test_a_stopped_agent_is_not_checked(platform, start):
    platform.claim["run"]["check"] = "true"
    runner = start("echo ready; sleep 60")
    runner.wait_until_it_shows('"ready"')
    runner.terminate()
    assert runner.wait() == 143
    assert platform.completion["check"] is None


def test_an_agent_that_its_deadline_ended_is_not_checked(platform, check):
    assert check("true", "sleep 60", timeoutSeconds=1) is None
    assert platform.completion["outcome"] == "timeout"


def test_an_agent_that_could_not_begin_is_not_checked(platform, check):
    platform.claim["run"]["repo"] = {"url": "http://127.0.0.1:9/none.git", "branch": None}
    assert check("true") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make the agent another user")
def test_it_runs_as_the_agents_user(platform, run):
    platform.claim["run"]["check"] = "id -un; ls ../private"
    run("true", {"AGENT_USER": "nobody", "OUTPOST_TASK_ROOT": ""})
    first, second = platform.completion["check"]["output"].splitlines()
    assert first == "nobody"
    assert "Permission denied" in second


def test_a_report_of_it_that_the_broker_refuses_is_told_again_without_its_output(platform, check):
    platform.script["/runner/complete"].append(failure(400, "VALIDATION_ERROR"))
    told = check("echo text; exit 1")
    assert (told["exitCode"], told["passed"], told["output"]) == (1, False, "")
