"""EventBridge in small: rules and schedules of the template, delivered to their functions at least once."""

import json
import queue
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from outpost_local.embedded_aws import ACCOUNT_ID, REGION
from outpost_local.event_pattern import matches_pattern
from outpost_local.invocation import Invocation

_DELIVERY_THREADS = 4
# Lambda repeats a failed asynchronous event twice, after one minute and after two; here the minutes are seconds.
_RETRY_SECONDS = (1.0, 2.0)
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400, "second": 1}

InvokeFunction = Callable[[str, Any], Invocation]
GiveUp = Callable[[str, dict[str, Any], str], None]


@dataclass(frozen=True)
class EventRule:
    """Events that fit the pattern go to the function."""

    logical_id: str
    pattern: dict[str, Any]
    function: str


@dataclass(frozen=True)
class Schedule:
    """A function that is called at an interval; `payload` is None for the standard event."""

    logical_id: str
    interval_seconds: float
    function: str
    source: str
    payload: Any


class EventPump:
    """Takes events from anywhere and delivers them in threads of its own."""

    def __init__(self, invoke_function: InvokeFunction, give_up: GiveUp) -> None:
        self._invoke_function = invoke_function
        self._give_up = give_up
        self._rules: list[EventRule] = []
        self._schedules: list[Schedule] = []
        self._queue: queue.SimpleQueue[tuple[str, dict[str, Any]] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, rules: list[EventRule], schedules: list[Schedule]) -> None:
        self._rules = rules
        self._schedules = schedules
        works: list[tuple[Callable[..., None], tuple[Any, ...]]] = [(self._deliver, ())] * _DELIVERY_THREADS
        works += [(self._keep_schedule, (schedule,)) for schedule in schedules]
        self._threads = [threading.Thread(target=work, args=facts, name="events", daemon=True) for work, facts in works]
        for thread in self._threads:
            thread.start()

    def publish(self, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        event = build_event(source, detail_type, detail, resources)
        for rule in self._rules:
            if matches_pattern(rule.pattern, event):
                self._queue.put((rule.function, event))

    def run_schedule(self, logical_id: str) -> Invocation:
        """Call the schedule's function now, and wait for it. Raises LookupError."""
        for schedule in self._schedules:
            if schedule.logical_id == logical_id:
                return self._invoke_function(schedule.function, _schedule_event(schedule))
        raise LookupError(
            f"There is no schedule {logical_id}; there are {[item.logical_id for item in self._schedules]}."
        )

    def stop(self) -> None:
        self._stopping.set()
        for _ in range(_DELIVERY_THREADS):
            self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=5)

    def _deliver(self) -> None:
        while (item := self._queue.get()) is not None and not self._stopping.is_set():
            self._deliver_one(*item)

    def _deliver_one(self, function: str, event: dict[str, Any]) -> None:
        for wait_seconds in (*_RETRY_SECONDS, None):
            invocation = self._invoke_function(function, event)
            if not invocation.failed or self._stopping.is_set():
                return
            if wait_seconds is None:
                self._give_up(function, event, invocation.payload)
            else:
                self._stopping.wait(wait_seconds)

    def _keep_schedule(self, schedule: Schedule) -> None:
        while not self._stopping.wait(schedule.interval_seconds):
            self._queue.put((schedule.function, _schedule_event(schedule)))


def build_event(source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> dict[str, Any]:
    """The envelope that every event has; times inside `detail` become text."""
    plain: dict[str, Any] = json.loads(json.dumps(detail, default=format_time))
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT_ID,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": resources,
        "detail": plain,
    }


def format_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rate(expression: str) -> float:
    """Seconds of a rate(...). Raises ValueError for anything else."""
    found = re.fullmatch(r"rate\((\d+) (second|minute|hour|day)s?\)", expression)
    if found is None:
        raise ValueError(f"The local stack keeps rate(...) schedules only, not {expression}.")
    return int(found[1]) * _UNIT_SECONDS[found[2]]


def _schedule_event(schedule: Schedule) -> Any:
    if schedule.payload is not None:
        return schedule.payload
    return build_event(schedule.source, "Scheduled Event", {}, [schedule.logical_id])
