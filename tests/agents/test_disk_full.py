"""A disk that is full ends the run with what could be kept, and never as a success that lost its work."""

import os
import subprocess
import sys

import pytest

from outpost_local.git_server import GitServer

from .repository import make_bare_repository
from .snapshot_archive import ARCHIVE, needs_zstd

MOUNT = ["unshare", "--user", "--map-root-user", "--mount"]
CAN_MOUNT = subprocess.run([*MOUNT, "true"], capture_output=True, check=False).returncode == 0
pytestmark = pytest.mark.skipif(not CAN_MOUNT, reason="a small disk takes the right to mount one")


@pytest.fixture
def small_disk(tmp_path, task_root):
    """A Python whose runner has its task on a disk of so many bytes."""

    def make(size):
        task_root.mkdir()
        script = tmp_path / "python"
        mount = f"mount -t tmpfs -o nr_inodes=2000,size={size} none {task_root}"
        command = f'{mount} && exec {sys.executable} "$@"'
        script.write_text(f"#!/bin/sh\nexec {' '.join(MOUNT)} sh -c '{command}' sh \"$@\"\n")
        script.chmod(0o755)
        return {"python": str(script)}

    return make


# The runner keeps its copy of the output while the agent goes on: the disk must have room until it has the line.
KEPT = "until [ -s ../private/output.log ]; do sleep 0.02; done"


def test_an_agent_that_fills_the_disk_gets_its_log_and_no_success(platform, run, cloned, small_disk, at_work):
    runner = run(f"echo done > done.txt; echo said; {KEPT}; head -c 50M /dev/zero > big; exit 0", small_disk("2M"))
    assert runner.process.returncode == 13
    assert platform.completion["outcome"] == "failed"
    assert platform.completion["error"]["code"] == "OUTPUT_FAILED"
    assert b"said\n" in platform.objects["output.log"]
    assert [omitted["name"] for omitted in platform.completion["omitted"]] == ["changes.patch"]
    assert at_work() == []


def test_a_failure_on_a_full_disk_keeps_its_reason(platform, run, cloned, small_disk):
    runner = run("head -c 50M /dev/zero > big; exit 4", small_disk("2M"))
    assert runner.process.returncode == 10
    assert platform.completion["error"]["code"] == "AGENT_FAILED"


def test_output_that_the_disk_has_no_room_for_is_in_the_log_stream(platform, run, cloned, small_disk):
    script = "head -c 50M /dev/zero > big; seq 1 10000; rm big; echo done > done.txt; echo end"
    runner = run(script, small_disk("2M"))
    assert runner.lines("stdout")[-1] == "end"
    assert any(line.startswith("The copy of the output ends here: No space left") for line in runner.lines("runner"))
    assert b"done.txt" in platform.objects["changes.patch"]


LARGE = {
    "its pack": (os.urandom(4_000_000), "No space left on device"),
    "its files": (bytes(range(1, 251)) * 16_000, "unable to write file large.bin"),
}


@pytest.mark.parametrize(("content", "reason"), LARGE.values(), ids=LARGE.keys())
def test_a_repository_that_the_disk_has_no_room_for_is_told(platform, run, tmp_path, small_disk, content, reason):
    make_bare_repository(tmp_path, "large", {"large.bin": content})
    with GitServer(tmp_path / "served") as server:
        platform.claim["run"]["repo"] = {"url": f"{server.url}/large.git", "branch": None}
        runner = run("true", small_disk("2M"))
    assert runner.process.returncode == 12
    assert platform.completion["error"]["code"] == "CLONE_FAILED"
    assert reason in platform.completion["error"]["message"]


TREES = {
    "its archive": ("head -c 4M /dev/urandom > large", "it could not be written: No space left"),
    "its files": ("yes | head -c 20M > large", "tar: "),
}


@needs_zstd
@pytest.mark.parametrize(("make", "reason"), TREES.values(), ids=TREES.keys())
def test_a_workspace_that_the_disk_has_no_room_for_is_not_replaced(
    platform, run, cloned, tmp_path, small_disk, make, reason
):
    platform.claim["run"]["workspace"] = {"snapshot": None}
    run(f"{make}; echo large > .gitignore", {"OUTPOST_TASK_ROOT": str(tmp_path / "first")})
    platform.claim["run"]["workspace"] = {"snapshot": platform.offer(platform.objects[ARCHIVE])}
    assert run("ls", small_disk("2M")).lines("stdout") == ["README.md", "data.bin", "src"]
    (notice,) = platform.completion["notices"]
    assert notice.startswith(f"The workspace could not be restored: {reason}")
    reason = "The earlier tree could not be restored, and stays as it was."
    assert platform.completion["workspace"] == {"restored": False, "saved": False, "reason": reason}
    assert platform.stored.count(ARCHIVE) == 1


def test_a_disk_that_is_full_from_the_beginning_claims_nothing(platform, run, small_disk):
    runner = run("true", small_disk("4k,nr_inodes=1"))
    assert runner.process.returncode == 12
    assert platform.calls == []
