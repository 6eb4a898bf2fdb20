"""What the finish function is invoked with in a state of the model, as AWS would send it."""

import json
from collections.abc import Callable
from typing import Any

from builders import in_pascal_case
from model_ports import task_arn, wait_token
from model_tables import RUN_IDS
from model_world import EPOCH, NOBODY, TENANT, Task


def _ecs_task(place: int, number: int, task: Task) -> dict[str, Any]:
    environment = {"RUN_ID": RUN_IDS[place], "TENANT_ID": TENANT, "ATTEMPT": str(task.attempt)}
    container = {"name": "runner"} | ({} if task.exit_code is None else {"exitCode": task.exit_code})
    stopped = {"stopCode": task.stop_code, "stoppedReason": "a reason", "stoppedAt": EPOCH.isoformat()}
    is_stopped = task.life == "stopped"
    return {
        "taskArn": task_arn(place, number),
        "lastStatus": "STOPPED" if is_stopped else "PENDING",
        "containers": [container],
        "overrides": {
            "containerOverrides": [
                {"name": "runner", "environment": [{"name": n, "value": v} for n, v in environment.items()]}
            ]
        },
    } | (stopped if is_stopped else {})


def _task_event(place: int, number: int, task: Task) -> dict[str, Any]:
    return {"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": _ecs_task(place, number, task)}


def _execution_event(place: int, status: str) -> dict[str, Any]:
    detail = {"status": status, "input": json.dumps({"tenantId": TENANT, "runId": RUN_IDS[place], "attempt": 1})}
    return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}


def _machine_call(
    place: int, attempt: int, error: str, number: int, task: Task | None, is_waiting: bool
) -> dict[str, Any]:
    call = {"source": "machine", "tenantId": TENANT, "runId": RUN_IDS[place], "attempt": attempt}
    call |= {"waiting": is_waiting, "task": None, "error": error, "cause": ""}
    if task is None or number == NOBODY:
        return call
    payload = in_pascal_case(_ecs_task(place, number, task))
    if task.exit_code == 0 and task.stop_code == "EssentialContainerExited":
        return call | {"task": payload}
    cause = json.dumps(payload)
    is_cut = error == "cut"
    return call | {"error": "States.TaskFailed", "cause": cause[:200] if is_cut else cause}


def _slot_request(place: int, asked: int) -> dict[str, Any]:
    token = wait_token(place, asked)
    return {"source": "queue", "tenantId": TENANT, "runId": RUN_IDS[place], "token": token}


PAYLOADS: dict[str, Callable[..., dict[str, Any]]] = {
    "task": _task_event,
    "execution": _execution_event,
    "machine": _machine_call,
    "queue": _slot_request,
}
