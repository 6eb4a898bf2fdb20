"""Reads ECS tasks as AWS sends them: camelCase from ECS and its events, PascalCase from Step Functions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from outpost.domain.outcome import StopCode, TaskState

CONTAINER = "runner"
_MILLISECONDS_FROM = 100_000_000_000


def read_task(payload: Mapping[str, Any]) -> TaskState | None:
    """The state of a run's task, or None for a task that is no run's."""
    environment = _override_environment(payload)
    if not {"RUN_ID", "TENANT_ID", "ATTEMPT"} <= environment.keys() or not environment["ATTEMPT"].isdecimal():
        return None
    stop_code = _field(payload, "stopCode")
    exit_code = _field(_runner(payload), "exitCode")
    return TaskState(
        task_arn=str(_field(payload, "taskArn")),
        tenant_id=environment["TENANT_ID"],
        run_id=environment["RUN_ID"],
        attempt=int(environment["ATTEMPT"]),
        is_stopped=_field(payload, "lastStatus") == "STOPPED",
        stop_code=StopCode(stop_code) if stop_code else None,
        stopped_reason=_reason(payload),
        exit_code=None if exit_code is None else int(exit_code),
        started_at=_time(_field(payload, "pullStartedAt")),
        stopped_at=_time(_field(payload, "stoppedAt")),
    )


def _field(payload: Mapping[str, Any], name: str) -> Any:
    return payload.get(name, payload.get(name[0].upper() + name[1:]))


def _runner(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = _field(payload, "containers") or []
    found: Mapping[str, Any] = next((c for c in containers if _field(c, "name") == CONTAINER), {})
    return found


def _reason(payload: Mapping[str, Any]) -> str | None:
    """Why the task stopped; the container's own reason (out of memory, say) says more than the task's."""
    reason = _field(_runner(payload), "reason") or _field(payload, "stoppedReason")
    return None if reason is None else str(reason)


def _override_environment(payload: Mapping[str, Any]) -> dict[str, str]:
    overrides = _field(_field(payload, "overrides") or {}, "containerOverrides") or []
    mine = [override for override in overrides if _field(override, "name") == CONTAINER]
    pairs = [pair for override in mine for pair in _field(override, "environment") or []]
    return {str(_field(pair, "name")): str(_field(pair, "value")) for pair in pairs}


def _time(value: Any) -> datetime | None:
    """A time as an aware datetime; Step Functions writes milliseconds since 1970, events write RFC 3339."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000 if value > _MILLISECONDS_FROM else value, UTC)
    return datetime.fromisoformat(str(value)).astimezone(UTC)
