"""Executions in Step Functions, named by run id."""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from outpost.adapters.aws import error_code, unavailable_if_it_fails
from outpost.domain.run import START_ALLOWANCE_SECONDS, STOP_GRACE_SECONDS, Run
from outpost.ports import ExecutionStatus
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

CAUSE_CHARACTERS = 1_000
_NO_LONGER_WAITING = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})


class StepFunctionsExecutions:
    """Executions of the machine RunAgent."""

    def __init__(self, client: "SFNClient", settings: Settings) -> None:
        self._client = client
        self._machine_arn = settings.state_machine_arn

    def start(self, run: Run, bootstrap_token: str) -> None:
        start_execution(self._client, self._machine_arn, run.run_id, execution_input(run, bootstrap_token))

    def release(self, wait_token: str, bootstrap_token: str) -> None:
        output = json.dumps({"bootstrapToken": bootstrap_token})
        with unavailable_if_it_fails():
            try:
                self._client.send_task_success(taskToken=wait_token, output=output)
            except ClientError as refusal:
                if error_code(refusal) not in _NO_LONGER_WAITING:
                    raise

    def stop(self, run_id: str, *, error: str, cause: str) -> None:
        stop_execution(self._client, self._machine_arn, run_id, error=error, cause=cause)

    def status(self, run_id: str) -> ExecutionStatus | None:
        return execution_status(self._client, self._machine_arn, run_id)


def start_execution(client: "SFNClient", machine_arn: str, name: str, given: str) -> None:
    """Start an execution; one of the name, which was started before, stays as it is. Raises Unavailable."""
    with unavailable_if_it_fails():
        try:
            client.start_execution(stateMachineArn=machine_arn, name=name, input=given)
        except ClientError as error:
            if error_code(error) != "ExecutionAlreadyExists":
                raise


def stop_execution(client: "SFNClient", machine_arn: str, name: str, *, error: str, cause: str) -> None:
    """Stop the execution of a name, and what it launched; one that has ended, or never was, is fine."""
    with unavailable_if_it_fails():
        try:
            client.stop_execution(
                executionArn=_execution_arn(machine_arn, name), error=error, cause=cause[:CAUSE_CHARACTERS]
            )
        except ClientError as refusal:
            if error_code(refusal) != "ExecutionDoesNotExist":
                raise


def execution_status(client: "SFNClient", machine_arn: str, name: str) -> ExecutionStatus | None:
    """The status of the execution of a name, None if there is none. Raises Unavailable."""
    with unavailable_if_it_fails():
        try:
            answer = client.describe_execution(executionArn=_execution_arn(machine_arn, name))
        except ClientError as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return None
            raise
    return ExecutionStatus(answer["status"])


def _execution_arn(machine_arn: str, name: str) -> str:
    return f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"


def execution_input(run: Run, bootstrap_token: str) -> str:
    """The input of a run's execution: the same bytes for the same record."""
    return json.dumps(
        {
            "runId": run.run_id,
            "tenantId": run.tenant_id,
            "attempt": run.attempt,
            "agent": run.agent,
            "cpuUnits": run.size.cpu_units,
            "memoryMb": run.size.memory_mb,
            "diskGb": run.size.disk_gb,
            "timeoutSeconds": run.timeout_seconds,
            "queued": run.is_queued,
            "queueTimeoutSeconds": run.queue_timeout_seconds,
            "startAllowanceSeconds": START_ALLOWANCE_SECONDS,
            "stopGraceSeconds": STOP_GRACE_SECONDS,
            "apiUrl": run.api_url,
            "bootstrapToken": bootstrap_token,
        },
        sort_keys=True,
    )
