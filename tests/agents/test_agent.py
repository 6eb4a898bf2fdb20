"""The agent gets the task, a clean environment and nothing else."""

import hashlib
import os
import pwd
import re
import tempfile
from pathlib import Path

import pytest

from .runner_process import start_runner
from .scripted_platform import BOOTSTRAP_TOKEN, SESSION_TOKEN

SYSTEM_PYTHON = Path("/usr/bin/python3")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change users")
AS_NOBODY = {"AGENT_USER": "nobody", "OUTPOST_TASK_ROOT": ""}


def test_a_run_that_ends_well_goes_through_all_phases(platform, run):
    runner = run("sleep 0.3; echo done; sleep 0.3")
    assert runner.process.returncode == 0
    assert platform.completion["outcome"] == "succeeded"
    assert platform.completion["exitCode"] == 0
    assert platform.completion["error"] is None
    assert platform.phases[-1] in {"running", "collecting", "uploading"}
    assert "running" in platform.phases


def test_the_agents_exit_code_is_reported(platform, run):
    runner = run("exit 3")
    assert runner.process.returncode == 10
    assert platform.completion["exitCode"] == 3
    assert platform.completion["error"] == {"code": "AGENT_FAILED", "message": "The agent ended with exit code 3."}


def test_an_agent_that_a_signal_ended_reports_it_as_shells_do(platform, run):
    run("kill -SEGV $$")
    assert platform.completion["exitCode"] == 139


def test_the_environment_holds_only_what_an_agent_needs(run):
    runner = run("env | cut -d= -f1 | grep -vE '^(PWD|SHLVL|_)$' | sort")
    names = ["HOME", "LANG", "OUTPOST_AGENT", "OUTPOST_ARTIFACTS_DIR", "OUTPOST_RUN_ID", "PATH", "TMPDIR"]
    assert runner.lines("stdout") == names


def test_the_agent_sees_its_run_and_its_own_folders(run, task_root):
    runner = run('echo "$OUTPOST_RUN_ID $OUTPOST_AGENT"; pwd; echo "$HOME"; ls -A "$HOME"; echo x > "$TMPDIR/x"')
    expected = ["01TESTRUN shell", f"{task_root}/workspace", f"{task_root}/home"]
    assert runner.lines("stdout") == expected
    assert (task_root / "tmp" / "x").read_text() == "x\n"


@pytest.mark.parametrize("user", [{}, pytest.param(AS_NOBODY, marks=needs_root)], ids=["the runner's", "its own"])
def test_the_agent_dies_before_its_runner_when_memory_runs_out(user, run):
    ours = Path("/proc/self/oom_score_adj").read_text().strip()
    runner = run("sleep 0.3; cat /proc/self/oom_score_adj /proc/$PPID/oom_score_adj", user)
    assert runner.lines("stdout") == ["1000", ours]


def test_no_token_is_in_any_environment_or_argument_list_that_the_agent_can_reach_by_its_own(run):
    runner = run("env; cat /proc/self/environ | tr '\\0' '\\n'; cat /proc/$$/cmdline | tr '\\0' '\\n'")
    assert "[redacted]" not in runner.raw.decode()
    assert BOOTSTRAP_TOKEN not in runner.raw.decode()
    assert SESSION_TOKEN not in runner.raw.decode()


def test_a_task_of_a_hundred_thousand_characters_arrives_unchanged(run):
    odd = "\"'`$(x) \\ {% if %} {{ y }} 🚀 é\r\n"
    text = (odd * 4000)[:99_000]
    runner = run(f"cat > full <<'END-OF-TEXT'\n{text}\nEND-OF-TEXT\nsha256sum < full | cut -c1-64")
    assert runner.lines("stdout") == [hashlib.sha256(f"{text}\n".encode()).hexdigest()]


def test_the_agent_reads_nothing_from_standard_input(run):
    assert run("cat; echo end").lines("stdout") == ["end"]


def test_an_agent_that_this_image_cannot_drive_is_refused(platform, run):
    platform.claim["run"]["agent"] = "abacus"
    runner = run("true")
    assert runner.process.returncode == 12
    assert platform.completion["outcome"] == "failed"
    assert platform.completion["error"]["code"] == "AGENT_START_FAILED"
    assert "'abacus'" in platform.completion["error"]["message"]


def test_a_program_that_is_not_in_the_image_is_reported(platform, run, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to("/usr/bin/git")
    run("true", {"PATH": str(tmp_path / "bin")})
    assert platform.completion["error"]["code"] == "AGENT_START_FAILED"
    assert platform.completion["error"]["message"].startswith("bash could not be started")


def test_the_summary_is_the_last_of_the_output(platform, run):
    run("seq 1 20; echo; echo all good; echo")
    assert platform.completion["result"]["summary"] == "17\n18\n19\n20\nall good"


def test_a_summary_is_at_most_four_thousand_characters(platform, run):
    run("head -c 9000 /dev/zero | tr '\\0' x")
    assert platform.completion["result"]["summary"][-1] == "x"
    assert len(platform.completion["result"]["summary"]) == 4000


def test_the_folders_that_a_caller_named_stay(run, task_root):
    run("echo kept > file")
    assert (task_root / "workspace" / "file").read_text() == "kept\n"


def test_the_folders_that_the_runner_made_itself_are_removed(run, tmp_path):
    run("cd /; mkdir -p $HOME/deep; pwd", {"OUTPOST_TASK_ROOT": "", "TMPDIR": str(tmp_path)})
    assert list(tmp_path.glob("outpost-*")) == []


@needs_root
def test_the_agent_runs_as_the_images_user(run):
    runner = run("id -u; id -G; touch mine && stat -c %u mine", AS_NOBODY)
    nobody = pwd.getpwnam("nobody")
    assert runner.lines("stdout") == [str(nobody.pw_uid), str(nobody.pw_gid), str(nobody.pw_uid)]


@needs_root
def test_the_agent_cannot_read_the_private_folder_or_the_runner(platform, run):
    run("ls ../private; cat /proc/$PPID/environ; echo x > ../planted; true", AS_NOBODY)
    lines = platform.objects["output.log"].decode().splitlines()
    assert [line.rsplit(": ", 1)[1] for line in lines] == ["Permission denied"] * 3


@needs_root
def test_a_numeric_user_without_an_entry_works(run):
    runner = run("id -u; id -g", {"AGENT_USER": "10001", "OUTPOST_TASK_ROOT": ""})
    assert runner.lines("stdout") == ["10001", "10001"]


@needs_root
def test_a_user_that_the_image_lacks_is_reported(platform, run):
    runner = run("true", {"AGENT_USER": "nosuchuser"})
    assert runner.process.returncode == 12
    assert platform.completion["error"]["code"] == "AGENT_START_FAILED"


@needs_root
def test_the_patch_is_made_whoever_owns_the_tree(platform, cloned, run):
    run("echo more >> README.md; echo new > new.txt; chmod 000 new.txt", AS_NOBODY)
    assert platform.completion["outcome"] == "succeeded"
    assert platform.completion["result"]["filesChanged"] == 2


def test_no_program_gives_the_agent_more_rights_than_it_has(run):
    assert run("grep NoNewPrivs /proc/self/status | tr -dc 0-9").lines("stdout") == ["1"]


@needs_root
@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="another user needs a Python that it may read")
def test_an_agent_of_the_runners_own_user_cannot_look_into_the_runner(platform):
    nobody = pwd.getpwnam("nobody").pw_uid
    platform.claim["run"]["task"] = "cat /proc/$PPID/environ; cat /proc/$PPID/mem; true"
    runner = start_runner(platform, Path(), python=str(SYSTEM_PYTHON), user=nobody, OUTPOST_TASK_ROOT="")
    assert runner.wait() == 0
    denied = ["cat: /proc/N/environ: Permission denied", "cat: /proc/N/mem: Permission denied"]
    assert [re.sub(r"\d+", "N", line) for line in runner.lines("stderr")] == denied


@needs_root
@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="another user needs a Python that it may read")
@pytest.mark.parametrize(("closed", "kept"), [("file", ["x"]), ("folder", ["file", "x"]), (".", [])])
def test_an_artifact_that_the_runner_may_not_read_is_left_out_and_not_left_behind(platform, closed, kept):
    nobody = pwd.getpwnam("nobody").pw_uid
    platform.claim["run"]["task"] = (
        f'cd "$OUTPOST_ARTIFACTS_DIR"; echo x > x; echo x > file; mkdir folder; chmod 000 {closed}'
    )
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, nobody, -1)
        own = {"OUTPOST_TASK_ROOT": "", "TMPDIR": folder}
        runner = start_runner(platform, Path(), python=str(SYSTEM_PYTHON), user=nobody, **own)
        assert runner.wait() == 0
        assert list(Path(folder).iterdir()) == []
    assert platform.completion["omitted"] == [{"name": closed, "reason": "It cannot be read."}]
    assert [upload["name"] for upload in platform.completion["uploads"]] == kept
