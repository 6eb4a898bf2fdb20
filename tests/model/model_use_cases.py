"""Runs the real use cases on a state of the model, whole or call by call, and remembers what each led to."""

import json
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from builders import a_caller, in_pascal_case
from fakes import FixedSigningKey, InMemoryFiles
from model_ports import BODY, OneIdentifier, Ports, StillClock, Suspended, task_arn
from model_world import EPOCH, NO_RUN, NOBODY, RUN_ID, TENANT, Records, Task, Torn, World

from outpost.adapters.testimony import read_testimony
from outpost.domain.errors import ClaimRefused, RunAlreadyEnded, Unavailable
from outpost.domain.report import Phase, Report, ReportedOutcome
from outpost.domain.run import Run, TransitionForbidden
from outpost.domain.run_error import RunError, RunErrorCode
from outpost.use_cases.cancel_run import cancel_run
from outpost.use_cases.claim_run import RunnerIdentity, claim_run
from outpost.use_cases.complete_run import complete_run
from outpost.use_cases.dispatch_run import Dispatch, dispatch_run
from outpost.use_cases.hear_testimony import hear_testimony
from outpost.use_cases.record_heartbeat import record_heartbeat
from outpost.use_cases.sweep_runs import Deed, Sweeper, sweep_runs

ALL_CALLS = 1_000
DISPATCH = Dispatch("shell", "none", "echo", 600, BODY, "https://api.example.com/dev", idempotency_key="key")
CODES = {
    "failed": RunErrorCode.AGENT_FAILED,
    "timeout": RunErrorCode.RUN_TIMEOUT,
    "cancelled": RunErrorCode.CANCELLED_BY_USER,
}
Operation = tuple[Any, ...]


class Outcome(NamedTuple):
    """What a use case did: the record after it, its effects in order, its answer; `journal` where it is not done."""

    run: int
    effects: tuple[tuple[Any, ...], ...]
    answer: Any
    journal: tuple[object, ...] | None


class UseCases:
    """The use cases of one search; equal questions are asked once."""

    def __init__(self) -> None:
        self.records = Records()
        self._known: dict[tuple[Any, ...], Outcome] = {}
        logging.getLogger("outpost").setLevel(logging.CRITICAL + 1)

    def status(self, world: World) -> str:
        """The status of the record, or nothing."""
        return "" if world.run == NO_RUN else self.records[world.run].status.value

    def place(self, world: World) -> tuple[str, int]:
        """The status and attempt of the record."""
        return ("", 0) if world.run == NO_RUN else (self.status(world), self.records[world.run].attempt)

    def ask(
        self, world: World, operation: Operation, torn: Torn | None = None, *, calls: int = ALL_CALLS, fail: str = ""
    ) -> Outcome:
        """Ask a use case; with `torn`, go on with one. `fail` lets its next call fail before or after its effect."""
        begun = torn.begun if torn else self.place(world)
        journal = torn.journal if torn else ()
        seen = tuple(task.seen for task in world.tasks)
        key = (operation, world.run, world.execution.status, seen, begun, journal, calls, fail)
        if key not in self._known:
            ports = Ports(self.records, world.run, world.execution.status, seen, begun)
            ports.journal, ports.calls_left = list(journal), calls
            self._known[key] = self._run(operation, ports, fail)
        return self._known[key]

    def _run(self, operation: Operation, ports: Ports, fail: str) -> Outcome:
        ports.fail_next = fail
        name, *rest = operation
        try:
            answer = _ASK[name](ports, *rest)
        except Suspended:
            return Outcome(ports.run, tuple(ports.effects), None, tuple(ports.journal))
        except ClaimRefused:
            answer = "refused"
        except RunAlreadyEnded:
            answer = "ended"
        except Unavailable:
            answer = "unavailable"
        except TransitionForbidden as error:
            ports.effects.append(("wrong", f"the product forbids its own transition: {error}"))
            answer = "forbidden"
        return Outcome(ports.run, tuple(ports.effects), answer, None)


def _create(ports: Ports, failing: str) -> str:
    ports.failing = frozenset({failing} - {""})
    dispatch_run(
        a_caller(tenant_id=TENANT),
        DISPATCH,
        runs=ports,
        files=InMemoryFiles(),
        executions=ports,
        signing_key=FixedSigningKey(),
        clock=StillClock(),
        identifiers=OneIdentifier(),
    )
    return "created"


def _cancel(ports: Ports, failing: str) -> str:
    ports.failing = frozenset({failing} - {""})
    return cancel_run(TENANT, RUN_ID, "enough", executions=ports, **_common(ports)).status.value


def _claim(ports: Ports, number: int, attempt: int, knows_its_arn: bool) -> str:
    claim_run(
        _runner(number, attempt),
        claim_id=f"claim of {number}",
        task_arn=task_arn(number) if knows_its_arn else None,
        files=InMemoryFiles(),
        signing_key=FixedSigningKey(),
        **_common(ports),
    )
    return "accepted"


def _beat(ports: Ports, number: int, attempt: int) -> str:
    record_heartbeat(_runner(number, attempt), phase=Phase.CLAIMED, message=None, **_common(ports))
    return "accepted"


def _report(ports: Ports, number: int, attempt: int, outcome: str) -> str:
    error = RunError.of(CODES[outcome], "It ended so.") if outcome in CODES else None
    exit_code = {"succeeded": 0, "failed": 1}.get(outcome)
    report = Report(attempt, ReportedOutcome(outcome), exit_code, error, None, EPOCH)
    complete_run(_runner(number, attempt), report, (), **_common(ports))
    return "accepted"


def _hear(ports: Ports, payload: tuple[Any, ...]) -> tuple[str, int] | None:
    testimony = read_testimony(_PAYLOADS[payload[0]](*payload[1:]))
    if testimony is None:
        return None
    run = hear_testimony(testimony, tasks=ports, **_common(ports))
    return run.status.value, run.attempt


def _sweep(ports: Ports, age: str) -> str:
    ports.age = age
    deeds = sweep_runs(Sweeper(ports, ports, ports, ports, FixedSigningKey(), StillClock(), OneIdentifier()))
    if Deed.FAILED in deeds and "!unavailable" not in ports.journal:
        ports.effects.append(("wrong", "the sweep failed by itself"))
    return "swept"


def _common(ports: Ports) -> dict[str, Any]:
    return {"runs": ports, "clock": StillClock(), "identifiers": OneIdentifier()}


def _runner(number: int, attempt: int) -> RunnerIdentity:
    return RunnerIdentity(TENANT, RUN_ID, attempt, f"claim of {number}")


def _ecs_task(number: int, task: Task) -> dict[str, Any]:
    environment = {"RUN_ID": RUN_ID, "TENANT_ID": TENANT, "ATTEMPT": str(task.attempt)}
    container = {"name": "runner"} | ({} if task.exit_code is None else {"exitCode": task.exit_code})
    stopped = {"stopCode": task.stop_code, "stoppedReason": "a reason", "stoppedAt": EPOCH.isoformat()}
    is_stopped = task.life == "stopped"
    return {
        "taskArn": task_arn(number),
        "lastStatus": "STOPPED" if is_stopped else "PENDING",
        "containers": [container],
        "overrides": {
            "containerOverrides": [
                {"name": "runner", "environment": [{"name": n, "value": v} for n, v in environment.items()]}
            ]
        },
    } | (stopped if is_stopped else {})


def _task_event(number: int, task: Task) -> dict[str, Any]:
    return {"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": _ecs_task(number, task)}


def _execution_event(status: str) -> dict[str, Any]:
    detail = {"status": status, "input": json.dumps({"tenantId": TENANT, "runId": RUN_ID, "attempt": 1})}
    return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}


def _machine_call(attempt: int, error: str, number: int, task: Task | None) -> dict[str, Any]:
    call = {"source": "machine", "tenantId": TENANT, "runId": RUN_ID, "attempt": attempt, "error": error, "cause": ""}
    if task is None or number == NOBODY:
        return call | {"task": None}
    payload = in_pascal_case(_ecs_task(number, task))
    if task.exit_code == 0 and task.stop_code == "EssentialContainerExited":
        return call | {"task": payload}
    cause = json.dumps(payload)
    is_cut = error == "cut"
    return call | {"task": None, "error": "States.TaskFailed", "cause": cause[:200] if is_cut else cause}


_ASK: dict[str, Callable[..., Any]] = {
    "create": _create,
    "cancel": _cancel,
    "claim": _claim,
    "beat": _beat,
    "report": _report,
    "hear": _hear,
    "sweep": _sweep,
}
_PAYLOADS: dict[str, Callable[..., dict[str, Any]]] = {
    "task": _task_event,
    "execution": _execution_event,
    "machine": _machine_call,
}


def run_of(use_cases: UseCases, world: World) -> Run | None:
    """The record of a state."""
    return None if world.run == NO_RUN else use_cases.records[world.run]
