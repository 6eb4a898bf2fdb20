"""Reads what the finish function is invoked with: the machine's call, ECS events, execution events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outpost.adapters.task_payload import read_task
from outpost.domain.outcome import Evidence, NeverLaunched, TaskState, Testimony

DETAIL_CHARACTERS = 500
# Names of RunTask's own refusals. A broken connection is not among them: its launch may have happened.
_AMBIGUOUS = ("ECS.SdkClientException", "ECS.ServerException")


def read_testimony(event: Mapping[str, Any]) -> Testimony | None:
    """What the event says of a run, or None where it speaks of none."""
    if event.get("source") == "machine":
        return _from_machine(event)
    if event.get("detail-type") == "ECS Task State Change":
        return _from_task(event["detail"])
    if event.get("detail-type") == "Step Functions Execution Status Change":
        return _from_execution(event["detail"])
    raise ValueError(f"no reader for an event from {event.get('source')}")


def read_slot_request(event: Mapping[str, Any]) -> tuple[str, str, str]:
    """(tenant id, run id, task token) of an execution that waits for its run's slot."""
    return str(event["tenantId"]), str(event["runId"]), str(event["token"])


@dataclass(frozen=True)
class PromotionEnd:
    """What the machine says of a promotion's task that has ended."""

    tenant_id: str
    run_id: str
    attempt: int
    ran_out_of_time: bool
    detail: str
    task_arn: str | None


def read_promotion_end(event: Mapping[str, Any]) -> PromotionEnd:
    """The end of a promotion's task; what the task had to say of it came from itself."""
    error, cause = str(event.get("error") or ""), str(event.get("cause") or "")
    task = _read_object(cause)
    task_arn = event.get("taskArn") or (task or {}).get("TaskArn")
    return PromotionEnd(
        str(event["tenantId"]),
        str(event["runId"]),
        int(event["attempt"]),
        ran_out_of_time=error == "States.Timeout",
        detail="" if cause.lstrip().startswith("{") or not error else f"{error}: {cause}"[:DETAIL_CHARACTERS],
        task_arn=str(task_arn) if task_arn else None,
    )


def _from_machine(event: Mapping[str, Any]) -> Testimony:
    error, cause = str(event.get("error") or ""), str(event.get("cause") or "")
    task = read_task(event["task"]) if event.get("task") else _task_in(cause)
    refused = error.startswith(("ECS.", "AmazonECS.")) and error not in _AMBIGUOUS
    evidence = Evidence(
        attempt=int(event["attempt"]),
        task=task,
        never_launched=NeverLaunched.LAUNCH_REFUSED if refused and task is None else None,
        detail=f"{error}: {cause}"[:DETAIL_CHARACTERS] if error and task is None else "",
    )
    return Testimony(
        str(event["tenantId"]),
        str(event["runId"]),
        evidence,
        ran_out_of_time=error == "States.Timeout",
        is_given_up=error == "States.Timeout",
        is_waiting=bool(event.get("waiting")),
    )


def _task_in(cause: str) -> TaskState | None:
    """The task that States.TaskFailed carries as its cause; one that Step Functions has cut says nothing."""
    payload = _read_object(cause)
    return None if payload is None else read_task(payload)


def _read_object(cause: str) -> dict[str, Any] | None:
    try:
        payload = json.loads(cause)
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def _from_task(detail: Mapping[str, Any]) -> Testimony | None:
    task = read_task(detail)
    if task is None:
        return None
    evidence = Evidence(attempt=task.attempt, task=task)
    return Testimony(task.tenant_id, task.run_id, evidence)


def _from_execution(detail: Mapping[str, Any]) -> Testimony | None:
    given = json.loads(detail.get("input") or "{}")
    if not {"tenantId", "runId", "attempt"} <= given.keys():
        return None
    return Testimony(
        str(given["tenantId"]),
        str(given["runId"]),
        Evidence(attempt=int(given["attempt"]), detail=f"The execution ended as {detail.get('status')}."),
        ran_out_of_time=detail.get("status") == "TIMED_OUT",
        is_given_up=detail.get("status") in ("TIMED_OUT", "ABORTED"),
    )
