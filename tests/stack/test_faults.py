"""Bad input and faults: none of them loses a run, hangs, or leaks a process."""

import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("stack")

MEGABYTE = 1_000_000


def processes_with(marker: str) -> list[str]:
    """The command lines of this machine's processes that carry the marker."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it has ended meanwhile
    return [line for line in lines if marker in line]


def test_the_longest_and_strangest_task_arrives_byte_for_byte(caller):
    strange = "\"quotes\" 'and' \\ \t `ticks` ${VAR} {% $states.input %} \U0001f680 é\n"
    head, tail = "cat > arrived.txt <<'END-OF-TASK'\n", "END-OF-TASK\n"
    body = (strange * 3000)[: 100_000 - len(head) - len(tail) - 1] + "\n"
    run_id = caller.dispatch(head + body + tail)
    assert caller.wait(run_id)["status"] == "COMPLETED"
    patch = caller.patch(run_id).decode()
    added = "".join(
        line[1:] + "\n" for line in patch.split("\n") if line.startswith("+") and not line.startswith("+++")
    )
    assert added == body
    assert len(caller.run(run_id)["task"]) == 100_000


def test_fifty_parallel_posts_with_one_key_make_one_run(caller):
    body = {"agent": "shell", "task": "true", "idempotencyKey": "fifty"}

    def post(_: int) -> tuple[int, str]:
        answer = caller.http.post("/dispatch", json=body)
        return answer.status_code, answer.json()["data"]["runId"]

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(post, range(50)))
    assert Counter(status for status, _ in answers) == {201: 1, 200: 49}
    assert len({run_id for _, run_id in answers}) == 1
    assert caller.wait(answers[0][1])["status"] == "COMPLETED"


def test_a_repository_that_does_not_exist_fails_the_run_and_says_so(caller):
    run = caller.wait(caller.dispatch("true", repo="acme/nothing"))
    assert (run["status"], run["error"]["code"]) == ("FAILED", "CLONE_FAILED")


def test_an_agent_that_forks_and_ignores_sigterm_is_gone_after_its_cancel(caller):
    script = """
    trap '' TERM INT HUP
    (trap '' TERM; exec -a outpost-leak-1 sleep 611) &
    setsid bash -c "trap '' TERM; exec -a outpost-leak-2 sleep 612" &
    (setsid nohup bash -c "trap '' TERM; exec -a outpost-leak-3 sleep 613" >/dev/null 2>&1 &)
    echo ready
    while true; do sleep 1; done
    """
    run_id = caller.dispatch(script)
    caller.wait_for_output(run_id, "ready")
    time.sleep(0.5)
    assert len(processes_with("outpost-leak-")) >= 3
    caller.http.post(f"/runs/{run_id}/cancel")
    assert caller.wait(run_id, seconds=60)["status"] == "CANCELLED"
    assert processes_with("outpost-leak-") == []


def test_an_agent_that_leaves_children_behind_leaves_none(caller):
    run_id = caller.dispatch("setsid bash -c 'exec -a outpost-leak-4 sleep 614' & disown; echo done")
    assert caller.wait(run_id)["status"] == "COMPLETED"
    assert processes_with("outpost-leak-4") == []


def test_two_hundred_megabytes_of_output_are_cut_and_the_runner_stays_small(caller):
    run_id = caller.dispatch("yes 0123456789abcdef | head -c 200000000; echo the end > proof; sleep 1")
    caller.wait(run_id, "RUNNING")
    peaks = [0]
    while caller.run(run_id)["status"] == "RUNNING":
        peaks.extend(peak_memory(pid) for pid in runner_pids(caller, run_id))
        time.sleep(0.1)
    run = caller.wait(run_id)
    assert (run["status"], run["result"]["filesChanged"]) == ("COMPLETED", 1)
    assert 0 < max(peaks) < 100 * MEGABYTE
    assert caller.artifacts(run_id)["output.log"]["sizeBytes"] < 20 * MEGABYTE


def runner_pids(caller, run_id: str) -> list[int]:
    """The process of the run's runner, as this machine counts it."""
    return [task.process_id for task in caller.stack.fargate.tasks() if task.run_id == run_id]


def peak_memory(pid: int) -> int:
    """The most memory that the process has had, in bytes."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
    return int(line.split()[1]) * 1024


def test_an_agent_that_deletes_its_git_folder_still_has_its_patch(caller):
    run = caller.wait(caller.dispatch("rm -rf .git; echo more >> README.md", repo="acme/site"))
    assert (run["status"], run["result"]["filesChanged"]) == ("COMPLETED", 1)
    assert b"+more" in caller.patch(run["runId"])


def test_a_file_of_fifty_megabytes_is_in_the_patch(caller):
    run = caller.wait(caller.dispatch("head -c 50000000 /dev/urandom > large.bin", repo="acme/site"), seconds=60)
    assert (run["status"], run["result"]["filesChanged"]) == ("COMPLETED", 1)
    assert len(caller.patch(run["runId"])) > 50 * MEGABYTE


def test_a_runner_that_is_killed_ends_its_run_and_leaves_nothing(caller):
    run_id = caller.dispatch("(exec -a outpost-leak-5 sleep 615) & echo ready; sleep 600")
    caller.wait_for_output(run_id, "ready")
    os.kill(runner_pids(caller, run_id)[0], signal.SIGKILL)
    run = caller.wait(run_id)
    assert (run["status"], run["error"]["code"], run["error"]["retryable"]) == ("FAILED", "COMPUTE_LOST", True)
    assert run["computeStoppedAt"] is not None
    assert processes_with("outpost-leak-5") == []


def test_a_start_that_fails_after_the_record_is_made_good_by_the_sweep(caller):
    caller.stack.aws.faults.fail("StartExecution", times=20)
    run_id = caller.dispatch("echo late")
    caller.stack.aws.faults.clear()
    assert caller.run(run_id)["status"] == "PENDING"
    caller.make_due(run_id)
    caller.stack.run_schedule_now("SweepFunctionEveryMinute")
    assert caller.wait(run_id)["status"] == "COMPLETED"


def test_a_start_whose_answer_is_lost_makes_one_execution(caller):
    caller.stack.aws.faults.fail("StartExecution", times=20, after_effect=True)
    run_id = caller.dispatch("echo once")
    caller.stack.aws.faults.clear()
    caller.make_due(run_id)
    caller.stack.run_schedule_now("SweepFunctionEveryMinute")
    assert caller.wait(run_id)["status"] == "COMPLETED"
    assert caller.event_types(run_id).count("run.running") == 1


def test_a_record_that_cannot_be_written_is_503_and_starts_nothing(caller):
    newest = caller.http.get("/runs?limit=1").json()["data"]["runs"]
    caller.stack.aws.faults.fail("TransactWriteItems", times=20)
    answer = caller.http.post("/dispatch", json={"agent": "shell", "task": "true"})
    caller.stack.aws.faults.clear()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert caller.http.get("/runs?limit=1").json()["data"]["runs"] == newest


def test_a_launch_that_fails_once_is_made_good_by_the_next_attempt(caller):
    caller.stack.fargate.fail_next_launches("CannotPullContainerError: the registry did not answer")
    run = caller.wait(caller.dispatch("echo second"))
    assert (run["status"], run["attempt"], run["result"]["summary"]) == ("COMPLETED", 2, "second")
    assert [attempt["error"] and attempt["error"]["code"] for attempt in run["attempts"]] == [
        "AGENT_START_FAILED",
        None,
    ]


def test_a_launch_that_fails_three_times_ends_the_run(caller):
    caller.stack.fargate.fail_next_launches(*["CannotPullContainerError: no such image"] * 3)
    run = caller.wait(caller.dispatch("true"), seconds=60)
    assert (run["status"], run["error"]["code"], run["attempt"]) == ("FAILED", "AGENT_START_FAILED", 3)
    assert "no such image" in run["error"]["message"]


def test_after_all_of_it_no_slot_is_taken_and_no_process_is_left(caller):
    deadline = time.monotonic() + 30
    while caller.active_runs() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert caller.active_runs() == 0
    assert caller.stack.fargate.tasks() == []
    assert caller.stack.lost_events == []
    assert processes_with("outpost-leak-") == []
