"""What Step Functions would do with statemachines/run_agent.asl.yaml: the same states, waits, retries and ends."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from builders import in_pascal_case

from .fargate import Task
from .timeline import Process, Timeline, Waiting

MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:outpost-run-agent-dev"
RUN_TASK_RETRIES = 4
FINISH_RETRIES = 6
# Of FinishRun's Retry; anything else goes to its Catch.
RETRIED = frozenset({"Lambda.SdkClientException", "Lambda.ServiceException", "Lambda.Unknown", "Unavailable"})
CHECKS = 40


class TaskRefused(Exception):
    """RunTask's own error; `name` as a state's Retry sees it."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(name)
        self.name, self.cause = name, cause


class FinishFailed(Exception):
    """The finish function gave no answer."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass
class Execution:
    """One execution."""

    name: str
    input: str
    status: str = "RUNNING"
    task: Task | None = None
    process: Process | None = None
    given: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Doors:
    """What the machine calls; each passes the injector. `tell` delivers an event."""

    run_task: Callable[[dict[str, str]], Task]
    stop_task: Callable[[Task, str], None]
    finish: Callable[[dict[str, Any]], dict[str, Any]]
    tell: Callable[[str, dict[str, Any]], None]


class StepFunctions:
    """The machine RunAgent; `notice_seconds` is how long it takes to notice that a task has stopped."""

    def __init__(self, timeline: Timeline, doors: Doors, notice_seconds: float) -> None:
        self._timeline = timeline
        self._doors = doors
        self._notice_seconds = notice_seconds
        self.executions: dict[str, Execution] = {}

    def answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Step Functions' answer to a call of the functions."""
        if operation == "StartExecution":
            return self._start(parameters["name"], parameters["input"])
        execution = self.executions.get(parameters["executionArn"].rpartition(":")[2])
        if execution is None:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": ""}}, operation)
        if operation == "DescribeExecution":
            return {"status": execution.status}
        if operation == "StopExecution":
            return self._stop(execution)
        raise NotImplementedError(operation)

    def _start(self, name: str, given: str) -> dict[str, Any]:
        known = self.executions.get(name)
        if known is None:
            execution = self.executions[name] = Execution(name, given, given=json.loads(given))
            execution.process = Process(self._timeline, self._run(execution), delay=1)
        elif known.status != "RUNNING" or known.input != given:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists", "Message": ""}}, "StartExecution")
        return {"executionArn": name}

    def _stop(self, execution: Execution) -> dict[str, Any]:
        if execution.status == "RUNNING":
            if execution.process is not None:
                execution.process.kill()
            self._end(execution, "ABORTED")
            if execution.task is not None and execution.task.is_alive:
                self._doors.stop_task(execution.task, "The Task state which was managing this resource was aborted.")
        return {}

    def _end(self, execution: Execution, status: str) -> None:
        execution.status = status
        if status != "SUCCEEDED":
            detail = {"status": status, "name": execution.name, "input": execution.input}
            self._doors.tell("Step Functions Execution Status Change", detail)

    def _run(self, execution: Execution) -> Waiting:
        attempt, token = execution.given["attempt"], execution.given["bootstrapToken"]
        while True:
            payload = yield from self._run_agent(execution, attempt, token)
            answer = yield from self._settle(payload)
            if answer is None or answer["status"] != "PENDING":
                break
            attempt, token = answer["attempt"], answer["bootstrapToken"]
            yield 5
        self._end(execution, "SUCCEEDED" if answer and answer["status"] == "COMPLETED" else "FAILED")

    def _run_agent(self, execution: Execution, attempt: int, token: str) -> Waiting:
        """RunAgent: the payload of FinishRun."""
        given = execution.given
        payload = {"source": "machine", "tenantId": given["tenantId"], "runId": given["runId"], "attempt": attempt}
        payload |= {"task": None, "error": "", "cause": ""}
        environment = {
            name: given[key] for name, key in (("RUN_ID", "runId"), ("TENANT_ID", "tenantId"), ("API_URL", "apiUrl"))
        }
        environment |= {"ATTEMPT": str(attempt), "BOOTSTRAP_TOKEN": token}
        ends_at = sum(given[name] for name in ("startAllowanceSeconds", "timeoutSeconds", "stopGraceSeconds"))
        for tries in range(RUN_TASK_RETRIES + 1):
            try:
                task = execution.task = self._doors.run_task(environment)
                break
            except TaskRefused as refusal:
                if tries == RUN_TASK_RETRIES:
                    return payload | {"error": refusal.name, "cause": refusal.cause}
                yield 5
        if not (yield from self._follow(execution, task, ends_at)):
            self._doors.stop_task(task, "The Task state which was managing this resource timed out.")
            return payload | {"error": "States.Timeout"}
        document = in_pascal_case(task.describe())
        if task.exit_code == 0:
            return payload | {"task": document}
        return payload | {"error": "States.TaskFailed", "cause": json.dumps(document)}

    def _follow(self, execution: Execution, task: Task, seconds: float) -> Waiting:
        """Whether the task stopped in time."""
        process = execution.process
        assert process is not None
        task.on_stop.append(process.wake)
        since = self._timeline.clock.now()
        while task.is_alive:
            remaining = seconds - (self._timeline.clock.now() - since).total_seconds()
            if remaining <= 0:
                task.on_stop.remove(process.wake)
                return False
            yield remaining
        task.on_stop.remove(process.wake)
        yield self._notice_seconds
        return True

    def _settle(self, payload: dict[str, Any]) -> Waiting:
        """FinishRun, MirrorOutcome and WaitForStop: the answer to mirror, or None for Unsettled."""
        for _ in range(CHECKS + 1):
            answer = yield from self._finish_run(payload)
            if answer is None or answer["status"] in ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"):
                return answer
            if answer["status"] == "PENDING" and answer["attempt"] > payload["attempt"]:
                return answer
            yield 10
        return None

    def _finish_run(self, payload: dict[str, Any]) -> Waiting:
        for tries in range(FINISH_RETRIES + 1):
            try:
                return self._doors.finish(payload)
            except FinishFailed as failure:
                if failure.name not in RETRIED or tries == FINISH_RETRIES:
                    return None
            yield min(60, 2 * 2**tries)
        return None
