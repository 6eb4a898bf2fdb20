"""An agent that uses up the task's memory: it is killed, and it is said why."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from outpost_runner.out_of_memory import count_kills

GROUPS = Path("/sys/fs/cgroup/memory")
LIMIT_BYTES = 256 * 1024 * 1024
V1 = "4:memory:/docker/abc\n3:cpu:/\n0::/\n"
V2 = "0::/\n"


@pytest.fixture
def small_memory(tmp_path):
    """A Python whose processes have little memory together."""
    group = GROUPS / f"outpost-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(LIMIT_BYTES))
    except OSError as error:
        pytest.skip(f"memory cannot be limited here: {error}")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho $$ > {group}/cgroup.procs\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    yield str(python)
    group.rmdir()


def test_an_agent_that_uses_up_the_memory_is_told_from_one_that_fails(platform, run, cloned, small_memory):
    runner = run("echo partial > partial.txt; exec tail /dev/zero", {"python": small_memory})
    assert runner.process.returncode == 10
    assert platform.completion["error"]["code"] == "OUT_OF_MEMORY"
    assert platform.completion["exitCode"] == 137
    assert b"partial.txt" in platform.objects["changes.patch"]


def test_an_agent_that_is_killed_otherwise_has_failed(platform, run, small_memory):
    run("kill -9 $$", {"python": small_memory})
    assert platform.completion["error"]["code"] == "AGENT_FAILED"


@pytest.mark.parametrize(
    ("membership", "file", "text"),
    [
        (V1, "memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"),
        (V1, "memory/docker/abc/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"),
        (V2, "memory.events", "low 0\nhigh 0\nmax 9\noom 4\noom_kill 3\n"),
        ("0::/task/1\n", "task/1/memory.events", "oom 4\noom_kill 3\n"),
    ],
    ids=["one root for all", "the host's name", "the second version", "the second version in a group"],
)
def test_the_kernels_count_is_found_wherever_it_stands(tmp_path, membership, file, text):
    (tmp_path / "membership").write_text(membership)
    (tmp_path / "groups" / file).parent.mkdir(parents=True)
    (tmp_path / "groups" / file).write_text(text)
    assert count_kills(tmp_path / "membership", tmp_path / "groups") == 3


@pytest.mark.parametrize("text", ["", "oom_kill\n", "oom_kill many\n", "under_oom 0\n"])
def test_what_the_kernel_does_not_tell_is_none(tmp_path, text):
    (tmp_path / "membership").write_text(V2)
    (tmp_path / "memory.events").write_text(text)
    assert count_kills(tmp_path / "membership", tmp_path) == 0


@pytest.mark.parametrize("membership", [None, "", "nonsense", "7:memory:/\n"])
def test_without_groups_there_is_none(tmp_path, membership):
    if membership is not None:
        (tmp_path / "membership").write_text(membership)
    assert count_kills(tmp_path / "membership", tmp_path) == 0
