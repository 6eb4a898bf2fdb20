"""Starts executions of the small stack's machines and waits for what they lead to."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from outpost_local.stack import LocalStack

_PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Ended:
    """An execution that has ended, with its output read."""

    status: str
    output: Any
    error: str | None
    cause: str | None
    seconds: float


class Executions:
    """The executions of one of the small stack's state machines, which the template names in an output."""

    def __init__(self, stack: LocalStack, output: str) -> None:
        self.stack = stack
        self.client = stack.aws.client("stepfunctions")
        self._machine_arn = stack.deployment.outputs[output]

    def start_with(self, given: dict[str, Any]) -> str:
        name = uuid.uuid4().hex
        started = self.client.start_execution(stateMachineArn=self._machine_arn, name=name, input=json.dumps(given))
        return str(started["executionArn"])

    def stop(self, execution: str, *, error: str, cause: str) -> None:
        self.client.stop_execution(executionArn=execution, error=error, cause=cause)

    def await_end(self, execution: str) -> Ended:
        found = await_value(lambda: self._describe(execution), lambda facts: facts["status"] != "RUNNING")
        output = json.loads(found["output"]) if "output" in found else None
        seconds = (found["stopDate"] - found["startDate"]).total_seconds()
        return Ended(found["status"], output, found.get("error"), found.get("cause"), seconds)

    def _describe(self, execution: str) -> dict[str, Any]:
        described: dict[str, Any] = self.client.describe_execution(executionArn=execution)
        return described


class Machine(Executions):
    """The machine that runs a task and hands its end to a function."""

    def __init__(self, stack: LocalStack) -> None:
        super().__init__(stack, "MachineArn")

    def start(self, script: str, *, timeout_seconds: Any = 30, note: str = "") -> str:
        return self.start_with({"script": script, "timeoutSeconds": timeout_seconds, "note": note})

    def run(self, script: str, *, timeout_seconds: Any = 30, note: str = "") -> Ended:
        return self.await_end(self.start(script, timeout_seconds=timeout_seconds, note=note))

    def await_process(self, execution: str) -> int:
        """The process id of the execution's task, once its command runs."""
        run_id = execution.rpartition(":")[2]
        return int(
            await_value(
                lambda: next((task.process_id for task in self.stack.fargate.tasks() if task.run_id == run_id), 0)
            )
        )

    def await_line(self, execution: str, line: str) -> None:
        """Until the execution's task has written the line."""
        await_value(lambda: line in self.read_lines(self.find_task(execution)["taskArn"]))

    def find_task(self, execution: str) -> dict[str, Any]:
        """What ECS says of the execution's task."""
        ecs = self.stack.aws.client("ecs")
        run_id = {"name": "RUN_ID", "value": execution.rpartition(":")[2]}

        def look() -> dict[str, Any] | None:
            listed = [
                arn
                for status in ("RUNNING", "STOPPED")
                for arn in ecs.list_tasks(cluster="small", desiredStatus=status)["taskArns"]
            ]
            tasks = ecs.describe_tasks(cluster="small", tasks=listed)["tasks"] if listed else []
            return next(
                (task for task in tasks if run_id in task["overrides"]["containerOverrides"][0]["environment"]), None
            )

        found: dict[str, Any] = await_value(look)
        return found

    def await_stopped(self, execution: str) -> dict[str, Any]:
        found: dict[str, Any] = await_value(
            lambda: self.find_task(execution), lambda task: task["lastStatus"] == "STOPPED"
        )
        return found

    def read_lines(self, task_arn: str) -> list[str]:
        logs = self.stack.aws.client("logs")
        stream = f"run/runner/{task_arn.rpartition('/')[2]}"
        try:
            events = logs.get_log_events(logGroupName="/small/task", logStreamName=stream, startFromHead=True)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in events]


class WaitingMachine(Executions):
    """The machine that hands a token to a function and waits for an answer to it."""

    def __init__(self, stack: LocalStack) -> None:
        super().__init__(stack, "WaitingMachineArn")

    def start(self, wish: str = "", *, timeout_seconds: int = 30) -> str:
        return self.start_with({"wish": wish, "timeoutSeconds": timeout_seconds})

    def run(self, wish: str, *, timeout_seconds: int = 30) -> Ended:
        return self.await_end(self.start(wish, timeout_seconds=timeout_seconds))

    def await_token(self, execution: str, *, tries: int = 0) -> str:
        """The token that the function was given at the first try, or after so many."""
        dynamodb, table = self.stack.aws.client("dynamodb"), self.stack.deployment.outputs["TableName"]
        key = {"pk": {"S": execution.rpartition(":")[2]}, "sk": {"S": f"token#{tries}"}}
        found = await_value(lambda: dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item"))
        return str(found["token"]["S"])

    def answer(self, token: str, output: Any) -> None:
        self.client.send_task_success(taskToken=token, output=json.dumps(output))


def await_value(look: Callable[[], Any], fits: Callable[[Any], bool] = bool) -> Any:
    """What `look` finds once it fits; fails the test when it never does."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        value = look()
        if fits(value):
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {_PATIENCE_SECONDS} s in vain; last seen: {look()!r}")
