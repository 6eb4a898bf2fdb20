"""However a run ends, the agent is gone, its work is collected, and the end is told."""

import time

import pytest

from .scripted_platform import failure

STUBBORN = "trap '' TERM; "


def test_the_deadline_ends_the_agent_and_keeps_its_work(platform, run, cloned, living, mark):
    runner = run(f"echo partial > partial.txt; exec -a {mark} sleep 60", timeoutSeconds=2)
    assert runner.process.returncode == 11
    assert platform.completion["outcome"] == "timeout"
    assert platform.completion["error"]["code"] == "RUN_TIMEOUT"
    assert b"partial.txt" in platform.objects["changes.patch"]
    assert living() == []


def test_the_deadline_is_kept_to_the_second(platform, run):
    run("trap 'date +%s.%N; exit 1' TERM; sleep 60 & wait", timeoutSeconds=2)
    (claim,) = platform.calls_to("/runner/claim")
    (complete,) = platform.calls_to("/runner/complete")
    assert 2.0 <= complete.at - claim.at < 3.0


def test_an_agent_that_ignores_sigterm_and_forks_is_killed(platform, run, living, mark):
    script = f"""{STUBBORN} for i in 1 2 3; do (exec -a {mark} bash -c "{STUBBORN} while :; do sleep 1; done") & done
    setsid bash -c "{STUBBORN} while :; do sleep 1; done; : {mark}" & disown; while :; do sleep 1; done; : {mark}"""
    runner = run(script, timeoutSeconds=1, stopGraceSeconds=4)
    assert runner.process.returncode == 11
    assert platform.completion["exitCode"] == 137
    assert living() == []


def test_an_agent_may_tidy_up_after_sigterm(platform, start):
    runner = start("trap 'echo tidied; exit 7' TERM; echo ready; sleep 60 & wait")
    runner.wait_until_it_shows('"ready"')
    runner.terminate()
    assert runner.wait() == 143
    assert runner.lines("stdout") == ["ready", "tidied"]
    assert platform.completion["exitCode"] == 7


def test_sigterm_while_the_agent_runs_keeps_its_work(platform, start, cloned, living, mark):
    runner = start(f"echo partial > partial.txt; echo ready; exec -a {mark} sleep 60")
    runner.wait_until_it_shows('"ready"')
    stopped_at = time.monotonic()
    runner.terminate()
    assert runner.wait() == 143
    assert time.monotonic() - stopped_at < 3
    assert platform.completion["outcome"] == "cancelled"
    assert platform.completion["error"]["code"] == "CANCELLED_BY_USER"
    assert b"partial.txt" in platform.objects["changes.patch"]
    assert living() == []


def test_sigterm_with_a_stubborn_agent_stays_within_the_grace(platform, start, living, mark):
    runner = start(f"{STUBBORN} echo ready; while :; do sleep 1; done; : {mark}", stopGraceSeconds=5)
    runner.wait_until_it_shows('"ready"')
    stopped_at = time.monotonic()
    runner.terminate()
    assert runner.wait() == 143
    assert time.monotonic() - stopped_at < 5
    assert platform.completion["outcome"] == "cancelled"
    assert living() == []


def test_sigterm_while_the_broker_is_gone_stays_within_the_grace(platform, start):
    platform.always["/runner/complete"] = failure(503, "SERVICE_UNAVAILABLE")
    runner = start("echo ready; sleep 60", stopGraceSeconds=3)
    runner.wait_until_it_shows('"ready"')
    stopped_at = time.monotonic()
    runner.terminate()
    assert runner.wait() == 13
    assert time.monotonic() - stopped_at < 5


def test_sigterm_after_the_agents_end_still_cancels(platform, start):
    platform.script["/runner/uploads"].extend(failure(503) for _ in range(4))
    runner = start("echo ready")
    platform.wait_for_phase("uploading")
    runner.terminate()
    assert runner.wait() == 143
    assert platform.completion["outcome"] == "cancelled"


def test_a_heartbeat_that_is_told_of_a_cancel_stops_the_agent(platform, start, cloned, living, mark):
    runner = start(f"echo partial > partial.txt; echo ready; exec -a {mark} sleep 60")
    runner.wait_until_it_shows('"ready"')
    platform.always["/runner/heartbeat"] = failure(409, "CONFLICT", status="CANCELLING")
    assert runner.wait() == 143
    assert platform.completion["outcome"] == "cancelled"
    assert b"partial.txt" in platform.objects["changes.patch"]
    assert living() == []


@pytest.mark.parametrize("status", [401, 500])
def test_heartbeats_that_fail_do_not_disturb_the_run(platform, run, status):
    platform.always["/runner/heartbeat"] = failure(status)
    assert run("sleep 2").process.returncode == 0
    assert len(platform.calls_to("/runner/heartbeat")) >= 2


def test_heartbeats_come_at_their_interval(platform, run):
    run("sleep 2.2")
    assert 3 <= len(platform.calls_to("/runner/heartbeat")) <= 8


def test_what_the_agent_leaves_running_is_killed_and_not_waited_for(platform, run, living, mark):
    runner = run(f"(exec -a {mark} sleep 60) & setsid bash -c 'sleep 60; : {mark}' & echo left")
    assert runner.process.returncode == 0
    assert runner.lines("stdout") == ["left"]
    assert runner.seconds < 5
    assert living() == []


def test_a_process_that_lost_its_parents_is_killed_as_well(run, living, mark):
    twice = "os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0)"
    daemon = f"import os, time; {twice}; time.sleep(60) # {mark}"
    runner = run(f'python3 -c "{daemon}"; sleep 0.3; echo left')
    assert runner.process.returncode == 0
    assert living() == []


def test_a_stopped_process_is_killed(run, living, mark):
    run(f"(exec -a {mark} sleep 60) & sleep 0.2; kill -STOP $!", stopGraceSeconds=4)
    assert living() == []
