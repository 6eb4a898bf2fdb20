"""What has to hold of every write of the record."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from model_world import Ledger

from outpost.domain.event import Event, EventType
from outpost.domain.run import Run

if TYPE_CHECKING:
    from model_tables import Tables

# Written down again on purpose: a change of the product's own table has to show here.
NEXT = {
    "QUEUED": {"PENDING", "CANCELLED", "FAILED", "TIMEOUT"},
    "PENDING": {"RUNNING", "CANCELLING", "FAILED", "TIMEOUT"},
    "RUNNING": {"PENDING", "CANCELLING", "COMPLETED", "FAILED", "TIMEOUT"},
    "CANCELLING": {"CANCELLED"},
}
TERMINAL = frozenset({"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"})
AT_WORK = frozenset({"PENDING", "RUNNING", "CANCELLING"})
EVENT_OF = {
    "PENDING": EventType.RUN_RELAUNCHED,
    "RUNNING": EventType.RUN_RUNNING,
    "CANCELLING": EventType.RUN_CANCELLING,
    "COMPLETED": EventType.RUN_COMPLETED,
    "FAILED": EventType.RUN_FAILED,
    "TIMEOUT": EventType.RUN_TIMEOUT,
    "CANCELLED": EventType.RUN_CANCELLED,
}


def wrongs_of_write(before: Run, after: Run, event: Event | None, begun: tuple[str, int]) -> Iterator[str]:
    """What is wrong with a write of the record; `begun` is status and attempt when the use case was asked."""
    was, becomes = before.status.value, after.status.value
    is_transition = was != becomes or before.attempt != after.attempt
    if was in TERMINAL and (is_transition or before.error != after.error):
        yield f"I1: {was} was left or rewritten"
    elif is_transition and becomes not in NEXT.get(was, set()) | ({"PENDING"} if was == "PENDING" else set()):
        yield f"table: {was} became {becomes}"
    expected = EventType.RUN_RELEASED if (was, becomes) == ("QUEUED", "PENDING") else EVENT_OF.get(becomes)
    if is_transition and (event is None or event.type is not expected):
        yield f"I6: {was} became {becomes} with the event {event and event.type.value}"
    if not is_transition and event is not None and event.type in (*EVENT_OF.values(), EventType.RUN_RELEASED):
        yield f"I6: {event.type.value} without its transition"
    if before.stop_code is None and after.stop_code is not None and before.attempt != begun[1]:
        yield f"blame: attempt {before.attempt} is stopped for what attempt {begun[1]} did"


def wrongs_of_admission(
    tables: "Tables", ledger: Ledger, before: Run | None, after: Run, seen_waiting: tuple[str, ...]
) -> Iterator[str]:
    """What is wrong with a slot or a claim that was granted; `ledger` is as it was, `seen_waiting` who was passed."""
    takes_slot = after.status.value == "PENDING" and (before is None or before.status.value == "QUEUED")
    is_claim = before is not None and (before.status.value, after.status.value) == ("PENDING", "RUNNING")
    if (takes_slot or is_claim) and ledger.switch:
        yield f"switch: {'a claim' if is_claim else 'a slot'} was granted while the switch {ledger.switch} was on"
    if not takes_slot:
        return
    still_waiting = [tables.run(n) for n in ledger.runs if n >= 0 and tables.run(n).run_id in seen_waiting]
    passed = [run.run_id for run in still_waiting if run.status.value == "QUEUED" and _rank(run) < _rank(after)]
    if passed:
        yield f"order: {after.priority.value} got a slot while {len(passed)} of higher rank waited"


_RANKS = {"high": 0, "normal": 1, "low": 2}


def _rank(run: Run) -> tuple[int, str]:
    return _RANKS[run.priority.value], run.run_id


def wrongs_of_use(before: Run | None, after: Run, change: int) -> Iterator[str]:
    """What is wrong with the change of the agent time that counts: reserved at first, and settled once, at the end."""
    if after.reservation is None:
        yield "settlement: nothing was reserved"
        return
    ends = before is not None and before.status.value not in TERMINAL and after.status.value in TERMINAL
    due = after.reservation.seconds if before is None else after.used_seconds - after.reservation.seconds if ends else 0
    if change != due:
        yield f"settlement: {change} seconds where {due} were due at {after.status.value}"
