"""Completes moto's executions: StopExecution at once and with its reason, and an event at each change of status."""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from moto.stepfunctions.responses import StepFunctionResponse

from outpost_local.embedded_aws import ACCOUNT_ID, REGION
from outpost_local.patching import Patches

PublishDetail = Callable[[dict[str, Any]], None]

_START_SECONDS = 5


def bridge_executions(patches: Patches, publish: PublishDetail) -> None:
    """Until the patches are undone, `publish` gets the detail of every status change."""
    start, terminated = Execution.start, BaseExecutionWorkerCommunication.terminated
    one_end = threading.Lock()

    def start_and_publish(self: Any) -> None:
        start(self)
        publish(describe_execution(self, ExecutionStatus.RUNNING))

    def end_and_publish(self: Any) -> None:
        # A stopped execution has been told of already; what its last state still does changes nothing.
        with one_end:
            if self.execution.exec_status != ExecutionStatus.RUNNING:
                return
            terminated(self)
        publish(describe_execution(self.execution, self.execution.exec_status))

    def stop_and_publish(self: Any, stop_date: datetime, error: str | None, cause: str | None) -> None:
        _await_first_state(self)
        with one_end:
            self.exec_worker.stop(stop_date=stop_date, cause=cause, error=error)
            stopped = isinstance(self.exec_worker.env.program_state(), ProgramStopped)
            if self.exec_status != ExecutionStatus.RUNNING or not stopped:
                return  # it ended by itself first
            self.exec_status, self.stop_date, self.error, self.cause = ExecutionStatus.ABORTED, stop_date, error, cause
        publish(describe_execution(self, ExecutionStatus.ABORTED))

    def answer_stop(self: Any) -> Any:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        execution.stop(datetime.now(UTC), self._get_param("error"), self._get_param("cause"))
        return ActionResult({"stopDate": execution.stop_date})

    patches.set_attribute(Execution, "start", start_and_publish)
    patches.set_attribute(Execution, "stop", stop_and_publish)
    patches.set_attribute(BaseExecutionWorkerCommunication, "terminated", end_and_publish)
    patches.set_attribute(StepFunctionResponse, "stop_execution", answer_stop)


def stop_executions() -> None:
    """End whatever still runs, so that no state begins on a stack that is going away."""
    for machine in stepfunctions_parser_backends[ACCOUNT_ID][REGION].state_machines:
        for execution in machine.executions:
            environment = execution.exec_worker.env
            if execution.exec_status == ExecutionStatus.RUNNING and environment is not None:
                environment.set_stop(datetime.now(UTC), "The local stack is stopping.", None)


def _await_first_state(execution: Any) -> None:
    """moto ignores a stop that comes before the first state has begun."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        environment = execution.exec_worker.env
        if environment is not None and environment.program_state() is not None:
            return
        time.sleep(0.01)


def describe_execution(execution: Any, status: ExecutionStatus) -> dict[str, Any]:
    """The detail of a "Step Functions Execution Status Change" event.

    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    succeeded = status == ExecutionStatus.SUCCEEDED
    return {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": status.value,
        "startDate": _to_milliseconds(execution.start_date),
        "stopDate": _to_milliseconds(execution.stop_date),
        "input": json.dumps(execution.input_data, separators=(",", ":")),
        "inputDetails": {"included": True},
        "output": to_json_str(execution.output, separators=(",", ":")) if succeeded else None,
        "outputDetails": {"included": True} if succeeded else None,
        "error": execution.error,
        "cause": execution.cause,
    }


def _to_milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.astimezone(UTC).timestamp() * 1000)
