"""What has to hold of every write of the record."""

from collections.abc import Iterator

from outpost.domain.event import Event, EventType
from outpost.domain.run import Run

# Written down again on purpose: a change of the product's own table has to show here.
NEXT = {
    "PENDING": {"RUNNING", "CANCELLING", "FAILED", "TIMEOUT"},
    "RUNNING": {"PENDING", "CANCELLING", "COMPLETED", "FAILED", "TIMEOUT"},
    "CANCELLING": {"CANCELLED"},
}
TERMINAL = frozenset({"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"})
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
    if is_transition and (event is None or event.type is not EVENT_OF[becomes]):
        yield f"I6: {was} became {becomes} with the event {event and event.type.value}"
    if not is_transition and event is not None and event.type in EVENT_OF.values():
        yield f"I6: {event.type.value} without its transition"
    if before.stop_code is None and after.stop_code is not None and before.attempt != begun[1]:
        yield f"blame: attempt {before.attempt} is stopped for what attempt {begun[1]} did"
