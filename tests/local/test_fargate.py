"""Tasks as processes: what they see, what is known of them, and how they end."""

import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from .machine import Machine, await_value
from .processes import find_processes

pytestmark = pytest.mark.xdist_group("small_stack")


READ_METADATA = """
import os, urllib.request
print(urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"] + "/task").read().decode())
"""


def _run_and_read(machine: Machine, script: str) -> list[str]:
    return machine.read_lines(machine.run(script).output["task"]["TaskArn"])


def test_every_line_of_both_streams_is_in_the_log_in_order(machine: Machine) -> None:
    lines = _run_and_read(machine, "seq 1 5000; echo to standard error >&2; printf 'no newline at the end'")
    assert lines == [*map(str, range(1, 5001)), "to standard error", "no newline at the end"]


def test_no_line_is_lost_when_the_log_service_fails_for_a_moment(machine: Machine) -> None:
    machine.stack.aws.faults.fail("PutLogEvents", times=3, code="ServiceUnavailableException", status=503)
    assert _run_and_read(machine, "echo kept") == ["kept"]


def test_a_task_has_the_variables_it_was_given_and_none_of_this_process(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_USER", "secret")
    names = {line.partition("=")[0] for line in _run_and_read(machine, "env")}
    assert {"RUN_ID", "OUTPOST_TASK_ROOT", "ECS_CONTAINER_METADATA_URI_V4", "HOME"} <= names
    assert not names & {"A_SECRET_OF_THE_USER", "AWS_ACCESS_KEY_ID", "VIRTUAL_ENV"}


def test_the_metadata_endpoint_knows_the_task(machine: Machine) -> None:
    ended = machine.run(f"python3 -c '{READ_METADATA}'")
    document = json.loads(machine.read_lines(ended.output["task"]["TaskArn"])[0])
    assert document["TaskARN"] == ended.output["task"]["TaskArn"]


@pytest.mark.skipif(sys.platform != "linux", reason="process groups cannot promise it elsewhere")
def test_a_task_sees_neither_the_files_nor_the_processes_of_another(machine: Machine) -> None:
    other = machine.start("echo secret > $HOME/mine; echo ready; sleep 60")
    machine.await_line(other, "ready")
    folders = f"{machine.stack.log_path.parent} $OUTPOST_TASK_ROOT/.."
    seen = machine.run(
        f"find {folders} -name mine 2>/dev/null | wc -l; ls /proc | grep -c '^[0-9]'; cat /tmp/left-behind"
    )
    machine.stop(other, error="Done", cause="")
    files, processes, left_behind = machine.read_lines(json.loads(seen.output["error"]["Cause"])["TaskArn"])
    assert files == "0"
    assert int(processes) < 8
    assert "No such file" in left_behind


@pytest.mark.skipif(os.geteuid() != 0, reason="in a namespace of users nobody else is known")
def test_the_folder_of_a_task_lies_beneath_nothing_that_others_may_write_into(machine: Machine) -> None:
    lines = _run_and_read(machine, "cd $OUTPOST_TASK_ROOT && until stat -c %A-%U .; [ $PWD = / ]; do cd ..; done")
    assert [line for line in lines if line[8] == "w" or not line.endswith("-root")] == []
    assert len(lines) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="process groups cannot promise it elsewhere")
def test_nothing_outlives_the_task_that_started_it(machine: Machine) -> None:
    machine.run("setsid sleep 4711 >/dev/null 2>&1 & sleep 0.1")
    assert find_processes("4711") == []


def test_the_folder_of_a_task_is_gone_when_it_has_stopped(machine: Machine) -> None:
    ended = machine.run("mkdir -p locked/inner && touch locked/inner/file && chmod 000 locked/inner locked")
    task_id = ended.output["task"]["TaskArn"].rpartition("/")[2]
    assert not (machine.stack.log_path.parent / "tasks" / task_id).exists()


def test_a_stopped_task_gets_the_signal_and_time_to_end_by_itself(machine: Machine) -> None:
    execution = machine.start("trap 'echo ending; exit 9' TERM; echo ready; sleep 60 & wait")
    machine.await_line(execution, "ready")
    arn = machine.find_task(execution)["taskArn"]
    machine.stack.aws.client("ecs").stop_task(cluster="small", task=arn, reason="enough")
    task = machine.await_stopped(execution)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    assert task["containers"][0]["exitCode"] == 9
    assert machine.read_lines(arn) == ["ready", "ending"]


def test_a_task_that_ignores_the_signal_is_killed_after_its_stop_timeout(machine: Machine) -> None:
    execution = machine.start("trap '' TERM; echo ready; sleep 60; sleep 60")
    machine.await_line(execution, "ready")
    machine.stop(execution, error="Done", cause="")
    task = machine.await_stopped(execution)
    assert task["containers"][0]["exitCode"] == 137
    assert 1.9 <= (task["stoppedAt"] - task["stoppingAt"]).total_seconds() < 6


def test_a_process_that_is_killed_from_outside_ends_its_task_with_137(machine: Machine) -> None:
    execution = machine.start("sleep 60")
    os.kill(machine.await_process(execution), signal.SIGKILL)
    task = machine.await_stopped(execution)
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 137)


def test_a_task_is_described_as_it_is_at_one_moment(machine: Machine) -> None:
    arn = json.loads(machine.run("exit 3").output["error"]["Cause"])["TaskArn"]
    task = machine.stack.fargate.find_task(arn)
    ecs = machine.stack.aws.client("ecs")
    with ThreadPoolExecutor(1) as pool:
        with task.lock:
            task.containers[0].exitCode = None
            described = pool.submit(ecs.describe_tasks, cluster="small", tasks=[arn])
            wait([described], timeout=0.3)
            task.containers[0].exitCode = 4
        assert described.result()["tasks"][0]["containers"][0]["exitCode"] == 4


def test_a_command_that_does_not_exist_ends_with_127(machine: Machine) -> None:
    cause = json.loads(machine.run("no-such-command").output["error"]["Cause"])
    assert cause["Containers"][0]["ExitCode"] == 127


def test_a_list_without_a_wanted_status_names_no_stopped_task(machine: Machine) -> None:
    arn = machine.run("exit 0").output["task"]["TaskArn"]
    assert arn not in machine.stack.aws.client("ecs").list_tasks(cluster="small")["taskArns"]


def test_a_task_that_never_was_is_described_as_missing(machine: Machine) -> None:
    arn = "arn:aws:ecs:us-east-1:123456789012:task/small/00000000-0000-0000-0000-000000000000"
    answer = machine.stack.aws.client("ecs").describe_tasks(cluster="small", tasks=[arn])
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}]


def test_the_list_of_running_tasks_is_empty_after_the_last_has_stopped(machine: Machine) -> None:
    machine.run("exit 0")
    assert await_value(machine.stack.fargate.tasks, lambda tasks: tasks == []) == []
