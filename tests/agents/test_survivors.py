"""No process of an agent's lives while its work is collected, whatever it does; where one does, that is told."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from .runner_process import AGENTS
from .snapshot_archive import needs_zstd

SYSTEM_PYTHON = Path("/usr/bin/python3")
NOBODY = {"AGENT_USER": "nobody", "OUTPOST_TASK_ROOT": ""}
NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
SURVIVORS = "Some processes of the agent could not be ended: what it left may still change."
CAN_SEPARATE = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make the agent another user")
needs_namespaces = pytest.mark.skipif(not CAN_SEPARATE, reason="a container's processes take a namespace of their own")
needs_python = pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="another user needs a Python that it may read")

# Each process forks and exits, for three seconds and a bounded number of them; some tell that they were there.
COMET = """import gc, os, time
gc.disable()
ends_at = time.time() + 3
os.setsid()
os.closerange(0, 3)
for number in range(30_000):
    if number % 20 == 0: open('beat', 'w').close()
    if os.fork() or time.time() > ends_at: os._exit(0)"""
# Ends an agent that left such processes, and says whether it believes them gone, and whether they are.
END = """import os, subprocess, sys, time
from pathlib import Path
from outpost_runner.agent_user import find_agent_user
from outpost_runner.linux import harden_process
from outpost_runner.process import Command, SupervisedProcess, Watch
harden_process()
ends_at = time.monotonic() + 5
command = Command(['sh', '-c', sys.argv[1]], Path.cwd(), os.environ, find_agent_user('nobody'))
process = SupervisedProcess(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
process.wait(Watch(lambda: ends_at, lambda: False))
gone, beat = process.end(1), os.stat('beat').st_mtime_ns
time.sleep(0.3)
print(gone, beat == os.stat('beat').st_mtime_ns)"""
# The first thread ends, as which a process looks dead, and another goes on for ten seconds.
HEADLESS = """import ctypes, os, threading, time
def live():
    for _ in range(500):
        open('beat', 'w').close()
        time.sleep(0.02)
os.closerange(0, 3)
threading.Thread(target=live).start()
ctypes.CDLL(None).pthread_exit(None)"""
NOBODY_BEATS = 'sleep 0.3; a=$(stat -c %y beat); sleep 0.3; [ "$a" = "$(stat -c %y beat)" ]'


def leave(program):
    return f'rm -f beat; {SYSTEM_PYTHON} -c "{program}" & until [ -e beat ]; do sleep 0.02; done'


@pytest.fixture
def open_folder():
    """A folder that every user may write to: pytest's own is root's alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield name


@pytest.fixture
def without_the_right_to_kill(tmp_path):
    """A Python whose runner is root, and may end no process of another user's."""
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\nexec setpriv --bounding-set=-kill --inh-caps=-kill {sys.executable} "$@"\n')
    script.chmod(0o755)
    return {"python": str(script)}


@pytest.fixture
def end_marked(mark):
    """Nothing that carries the mark outlives the test."""
    yield
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and mark in command_line(folder):
            os.kill(int(folder.name), signal.SIGKILL)


def command_line(process):
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


@needs_root
@needs_namespaces
@needs_python
def test_processes_that_fork_and_exit_all_the_time_are_killed(open_folder):
    command = [*NAMESPACE, sys.executable, "-c", END, f"{leave(COMET)}; {leave(COMET)}; sleep 0.5"]
    environment = {**os.environ, "PYTHONPATH": str(AGENTS)}
    ended = subprocess.run(command, cwd=open_folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.stdout == "True True\n"


@needs_python
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process is its group")
def test_a_process_whose_first_thread_has_ended_is_killed(platform, run):
    platform.claim["run"]["check"] = NOBODY_BEATS
    run(leave(HEADLESS))
    assert platform.completion["check"]["passed"] is True


@needs_root
@needs_zstd
def test_beside_one_that_cannot_be_killed_nothing_but_the_log_is_delivered(
    platform, run, without_the_right_to_kill, end_marked, mark
):
    platform.claim["run"] |= {"check": "true", "workspace": {"snapshot": None}}
    work = 'echo said; echo new > new.txt; echo a > "$OUTPOST_ARTIFACTS_DIR/a.txt"'
    runner = run(f"{work}; (exec -a {mark} sleep 60 >/dev/null 2>&1) &", without_the_right_to_kill | NOBODY)
    assert runner.process.returncode == 13
    assert platform.stored == ["output.log"]
    assert platform.completion["error"] == {"code": "OUTPUT_FAILED", "message": SURVIVORS}
    assert platform.completion["omitted"] == [{"name": name, "reason": SURVIVORS} for name in ("changes.patch", ".")]
    assert platform.completion["workspace"] == {"restored": None, "saved": False, "reason": SURVIVORS}
    assert platform.completion["check"] is None


@needs_root
def test_beside_one_of_the_check_no_artifacts_are_delivered(platform, run, without_the_right_to_kill, end_marked, mark):
    platform.claim["run"]["check"] = f"bash -c '(exec -a {mark} sleep 60 >/dev/null 2>&1) & true'"
    run('echo new > new.txt; echo a > "$OUTPOST_ARTIFACTS_DIR/a.txt"', without_the_right_to_kill | NOBODY)
    assert platform.stored == ["changes.patch"]
    assert platform.completion["error"] == {"code": "OUTPUT_FAILED", "message": SURVIVORS}
    assert platform.completion["omitted"] == [{"name": ".", "reason": SURVIVORS}]


@needs_root
def test_it_has_no_more_processes_than_leave_the_runner_some(run):
    assert run("ulimit -Hu", NOBODY).lines("stdout") == ["4096"]
