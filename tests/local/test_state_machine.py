"""A machine that runs a task and a function, on the bridged interpreter."""

import json

import pytest

from .machine import Machine

pytestmark = pytest.mark.xdist_group("small_stack")

NOTE = "quotes \" and ', a \\ backslash,\nnewlines\t\u0001, {% $x %}, `ticks`, /slashes/ and \U0001f600"


def test_a_task_that_exits_with_zero_is_the_result_of_its_state(machine: Machine) -> None:
    ended = machine.run("exit 0")
    task = ended.output["task"]
    assert (ended.status, task["StopCode"], task["LastStatus"]) == ("SUCCEEDED", "EssentialContainerExited", "STOPPED")
    assert task["Containers"][0]["ExitCode"] == 0
    assert task["StartedBy"] == "AWS Step Functions"
    assert task["CreatedAt"] <= task["StartedAt"] <= task["ExecutionStoppedAt"] <= task["StoppedAt"]


def test_tags_that_the_state_names_reach_the_task(machine: Machine) -> None:
    assert machine.run("exit 0").output["task"]["Tags"] == [{"Key": "kind", "Value": "small"}]


def test_a_non_zero_exit_code_is_a_task_failure_with_the_task_as_its_cause(machine: Machine) -> None:
    error = machine.run("exit 3").output["error"]
    cause = json.loads(error["Cause"])
    assert error["Error"] == "States.TaskFailed"
    assert cause["Containers"][0]["ExitCode"] == 3
    assert cause["StopCode"] == "EssentialContainerExited"


def test_a_task_that_cannot_start_is_a_task_failure_without_an_exit_code(machine: Machine) -> None:
    machine.stack.fargate.fail_next_launches("CannotPullContainerError: no such image")
    error = machine.run("exit 0").output["error"]
    cause = json.loads(error["Cause"])
    assert (error["Error"], cause["StopCode"]) == ("States.TaskFailed", "TaskFailedToStart")
    assert cause["StoppedReason"] == "CannotPullContainerError: no such image"
    assert "ExitCode" not in cause["Containers"][0]


def test_a_variable_keeps_every_character(machine: Machine) -> None:
    assert machine.run("exit 0", note=NOTE).output["note"] == NOTE


def test_a_variable_that_is_null_stays_null(machine: Machine) -> None:
    assert machine.run("exit 0").output["error"] is None


def test_an_environment_variable_of_the_task_keeps_every_character(machine: Machine) -> None:
    ended = machine.run(f"exit 0 # {NOTE}")
    environment = ended.output["task"]["Overrides"]["ContainerOverrides"][0]["Environment"]
    assert environment[1]["Value"].endswith(NOTE)


def test_a_state_that_times_out_stops_its_task(machine: Machine) -> None:
    execution = machine.start("sleep 60", timeout_seconds=1)
    assert machine.await_end(execution).output["error"]["Error"] == "States.Timeout"
    task = machine.await_stopped(execution)
    assert task["stopCode"] == "UserInitiated"
    assert task["containers"][0]["exitCode"] == 143


def test_a_stopped_execution_is_aborted_with_the_reason_that_was_given(machine: Machine) -> None:
    execution = machine.start("sleep 60")
    machine.await_process(execution)
    machine.stop(execution, error="Cancelled", cause="No longer wanted.")
    ended = machine.await_end(execution)
    assert (ended.status, ended.error, ended.cause) == ("ABORTED", "Cancelled", "No longer wanted.")


def test_a_stopped_execution_stops_its_task_and_says_so(machine: Machine) -> None:
    execution = machine.start("sleep 60")
    machine.await_process(execution)
    machine.stop(execution, error="Cancelled", cause="No longer wanted.")
    task = machine.await_stopped(execution)
    assert task["stopCode"] == "UserInitiated"
    assert task["stoppedReason"] == (
        f"The Task state in AWS Step Functions execution [{execution}] which was managing this resource was aborted."
    )


def test_a_stop_stays_an_abort_when_the_task_fails_afterwards(machine: Machine) -> None:
    execution = machine.start("trap 'exit 9' TERM; echo ready; sleep 60 & wait")
    machine.await_line(execution, "ready")
    machine.stop(execution, error="Cancelled", cause="")
    machine.await_stopped(execution)
    assert machine.await_end(execution).status == "ABORTED"


def test_a_server_error_of_ecs_is_retried_by_its_name(machine: Machine) -> None:
    machine.stack.aws.faults.fail("RunTask", code="ServerException")
    assert machine.run("exit 0").output["error"] is None


def test_a_refusal_of_ecs_is_an_error_named_after_it(machine: Machine) -> None:
    machine.stack.aws.faults.fail("RunTask", code="ClientException", status=400)
    assert machine.run("exit 0").output["error"]["Error"] == "ECS.ClientException"


def test_an_error_that_a_function_raises_is_caught_by_its_type(machine: Machine) -> None:
    assert machine.run("exit 0", note="refuse").output == {"refused": "It was asked for."}


def test_an_expression_that_fails_is_a_query_evaluation_error(machine: Machine) -> None:
    ended = machine.run("exit 0", timeout_seconds="soon")
    assert ended.output["error"]["Error"] == "States.QueryEvaluationError"


def test_the_same_name_and_input_while_running_is_the_same_execution(machine: Machine) -> None:
    execution = machine.start("sleep 60")
    client = machine.stack.aws.client("stepfunctions")
    described = client.describe_execution(executionArn=execution)
    again = client.start_execution(
        stateMachineArn=described["stateMachineArn"], name=described["name"], input=described["input"]
    )
    machine.stop(execution, error="Done", cause="")
    assert again["executionArn"] == execution
