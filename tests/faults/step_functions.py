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
    checks: int = 0
    slot: str | None = None
    is_waiting: bool = False


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
        self._tokens: dict[str, Execution] = {}
        self._tokens_made = 0

    def answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Step Functions' answer to a call of the functions."""
        if operation == "StartExecution":
            return self._start(parameters["name"], parameters["input"])
        if operation == "SendTaskSuccess":
            return self._release(parameters["taskToken"], json.loads(parameters["output"]))
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

    def _release(self, token: str, output: dict[str, Any]) -> dict[str, Any]:
        """Also before the call that brought the token was answered: then the state does not wait at all."""
        execution = self._tokens.pop(token, None)
        if execution is None or execution.status != "RUNNING":
            raise ClientError({"Error": {"Code": "TaskTimedOut", "Message": ""}}, "SendTaskSuccess")
        execution.slot = output["bootstrapToken"]
        if execution.is_waiting and execution.process is not None:
            execution.process.wake()
        return {}

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
        """From WaitOrLaunch to the end."""
        attempt, token, waiting = (execution.given[name] for name in ("attempt", "bootstrapToken", "queued"))
        while True:
            payload = self._payload(execution, attempt, waiting)
            refused = (yield from self._wait_for_slot(execution)) if waiting else None
            if waiting and refused is None:
                token, waiting = execution.slot, False
                continue
            payload |= refused or (yield from self._run_agent(execution, attempt, token))
            answer = yield from self._settle(execution, payload)
            if answer is None or answer["status"] not in ("PENDING", "QUEUED"):
                break
            if answer["status"] == "PENDING":
                attempt, token, waiting = answer["attempt"], answer["bootstrapToken"], False
                yield 5
        self._end(execution, "SUCCEEDED" if answer and answer["status"] == "COMPLETED" else "FAILED")

    def _payload(self, execution: Execution, attempt: int, waiting: bool) -> dict[str, Any]:
        """What FinishRun sends, as long as nothing has happened."""
        given = execution.given
        payload = {"source": "machine", "tenantId": given["tenantId"], "runId": given["runId"], "attempt": attempt}
        return payload | {"waiting": waiting, "task": None, "error": "", "cause": ""}

    def _wait_for_slot(self, execution: Execution) -> Waiting:
        """WaitForSlot: None once the slot is there, else the error that it is caught with."""
        execution.slot = None
        given = {"source": "queue"} | {name: execution.given[name] for name in ("tenantId", "runId")}
        for tries in range(FINISH_RETRIES + 1):
            self._tokens_made += 1
            token = f"token-{self._tokens_made}"
            self._tokens[token] = execution
            try:
                self._doors.finish(given | {"token": token})
            except FinishFailed as failure:
                if execution.slot is not None:
                    return None
                del self._tokens[token]
                if failure.name not in RETRIED or tries == FINISH_RETRIES:
                    return {"error": failure.name}
                yield min(60, 2 * 2**tries)
                continue
            return (yield from self._await_slot(execution, token))
        raise AssertionError("the last try returns")

    def _await_slot(self, execution: Execution, token: str) -> Waiting:
        since = self._timeline.clock.now()
        execution.is_waiting = True
        while execution.slot is None:
            waited = (self._timeline.clock.now() - since).total_seconds()
            if waited >= execution.given["queueTimeoutSeconds"]:
                del self._tokens[token]
                break
            yield execution.given["queueTimeoutSeconds"] - waited
        execution.is_waiting = False
        if execution.slot is not None:
            return None
        yield self._notice_seconds
        return {"error": "States.Timeout"}

    def _run_agent(self, execution: Execution, attempt: int, token: str) -> Waiting:
        """RunAgent: what it adds to the payload of FinishRun; its ends are counted anew."""
        given, execution.checks = execution.given, 0
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
                    return {"error": refusal.name, "cause": refusal.cause}
                yield 5
        if not (yield from self._follow(execution, task, ends_at)):
            self._doors.stop_task(task, "The Task state which was managing this resource timed out.")
            return {"error": "States.Timeout"}
        document = in_pascal_case(task.describe())
        if task.exit_code == 0:
            return {"task": document}
        return {"error": "States.TaskFailed", "cause": json.dumps(document)}

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

    def _settle(self, execution: Execution, payload: dict[str, Any]) -> Waiting:
        """FinishRun, MirrorOutcome, WaitForStop, WaitToAskAgain: the answer to go on with, or None for Unsettled."""
        while True:
            answer = yield from self._finish_run(payload)
            if answer is None or answer["status"] in ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"):
                return answer
            if answer["status"] == "PENDING" and "bootstrapToken" in answer:
                return answer
            if execution.checks == CHECKS:
                return None
            execution.checks += 1
            yield 10
            if answer["status"] == "QUEUED":
                return answer

    def _finish_run(self, payload: dict[str, Any]) -> Waiting:
        for tries in range(FINISH_RETRIES + 1):
            try:
                return self._doors.finish(payload)
            except FinishFailed as failure:
                if failure.name not in RETRIED or tries == FINISH_RETRIES:
                    return None
            yield min(60, 2 * 2**tries)
        return None
