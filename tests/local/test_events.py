"""Events and schedules on their way to a function."""

from typing import Any

import pytest

from outpost_local.event_pattern import UnsupportedPattern, matches_pattern
from outpost_local.events import parse_rate
from outpost_local.stack import LocalStack

from .machine import Machine, await_value

pytestmark = pytest.mark.xdist_group("small_stack")

EVENT = {"source": "aws.ecs", "detail": {"status": "STOPPED", "tags": ["a", "b"], "task": {"code": 1}}}


def _read_statuses(stack: LocalStack, subject: str) -> list[str]:
    answer = stack.aws.client("dynamodb").query(
        TableName=stack.deployment.outputs["TableName"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": subject}},
    )
    return [item["sk"]["S"] for item in answer["Items"]]


def test_every_change_of_a_task_is_told_once_with_a_growing_version(machine: Machine) -> None:
    arn = machine.run("exit 0").output["task"]["TaskArn"]
    expected = ["001#PROVISIONING", "002#PENDING", "003#RUNNING", "004#DEPROVISIONING", "005#STOPPED"]
    assert await_value(lambda: _read_statuses(machine.stack, arn), lambda found: len(found) == 5) == expected


def test_the_start_and_the_end_of_an_execution_are_told(machine: Machine) -> None:
    execution = machine.start("exit 0")
    machine.await_end(execution)
    name = execution.rpartition(":")[2]
    found = await_value(lambda: _read_statuses(machine.stack, name), lambda statuses: len(statuses) == 2)
    assert found == ["000#RUNNING", "000#SUCCEEDED"]


def test_an_abort_is_told(machine: Machine) -> None:
    execution = machine.start("sleep 60")
    machine.stop(execution, error="Cancelled", cause="")
    name = execution.rpartition(":")[2]
    assert "000#ABORTED" in await_value(lambda: _read_statuses(machine.stack, name), lambda found: len(found) == 2)


def test_a_change_of_a_table_with_a_stream_reaches_its_function(small_stack: LocalStack) -> None:
    small_stack.aws.client("dynamodb").put_item(TableName="small-changing", Item={"pk": {"S": "one"}})
    assert await_value(lambda: _read_statuses(small_stack, "stream")) == ["INSERT#one"]


def test_a_schedule_can_be_run_now(small_stack: LocalStack) -> None:
    assert small_stack.run_schedule_now("ListenFunctionHourly") == {"written": True}


def test_an_unknown_schedule_is_named(small_stack: LocalStack) -> None:
    with pytest.raises(LookupError, match="ListenFunctionHourly"):
        small_stack.run_schedule_now("Never")


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.states", "aws.ecs"]},
        {"detail": {"status": ["STOPPED"], "task": {"code": [1]}}},
        {"detail": {"tags": ["b"]}},
        {"detail": {"status": [{"prefix": "STOP"}]}},
        {"detail": {"status": [{"anything-but": ["RUNNING"]}]}},
        {"detail": {"missing": [{"exists": False}]}},
    ],
)
def test_a_pattern_matches(pattern: dict[str, Any]) -> None:
    assert matches_pattern(pattern, EVENT)


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.states"]},
        {"source": ["aws.ecs"], "detail": {"status": ["RUNNING"]}},
        {"detail": {"missing": [None]}},
        {"detail": {"status": [{"exists": False}]}},
        {"detail": {"status": {"deeper": ["STOPPED"]}}},
    ],
)
def test_a_pattern_does_not_match(pattern: dict[str, Any]) -> None:
    assert not matches_pattern(pattern, EVENT)


def test_an_unknown_operator_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedPattern, match="cidr"):
        matches_pattern({"source": [{"cidr": "10.0.0.0/8"}]}, EVENT)


@pytest.mark.parametrize(("expression", "seconds"), [("rate(1 minute)", 60), ("rate(5 hours)", 18000)])
def test_a_rate_is_read(expression: str, seconds: int) -> None:
    assert parse_rate(expression) == seconds


def test_a_schedule_that_is_no_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="cron"):
        parse_rate("cron(0 0 * * ? *)")
