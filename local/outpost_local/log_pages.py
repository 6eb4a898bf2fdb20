"""Pages of a log as large as CloudWatch Logs makes them, for moto counts lines only."""

from typing import Any

from moto.logs.models import LogsBackend

from outpost_local.patching import Patches

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
PAGE_BYTES = 1024 * 1024
EVENT_OVERHEAD_BYTES = 26


def bridge_log_pages(patches: Patches) -> None:
    """Until the patches are undone, a page that is read forwards has at most a megabyte."""
    read_page: Any = LogsBackend.get_log_events

    def read_fitting_page(self: LogsBackend, **asked: Any) -> tuple[list[dict[str, Any]], str, str]:
        events, backward, forward = read_page(self, **asked)
        fitting = _count_fitting(events)
        if fitting == len(events) or not asked["start_from_head"]:
            return events, backward, forward
        begin = int(backward.removeprefix("b/"))
        return events[:fitting], backward, f"f/{begin + fitting - 1:056d}"

    patches.set_attribute(LogsBackend, "get_log_events", read_fitting_page)


def _count_fitting(events: list[dict[str, Any]]) -> int:
    """How many of the events, at least one, are a page."""
    left = PAGE_BYTES
    for count, event in enumerate(events):
        left -= len(event["message"].encode()) + EVENT_OVERHEAD_BYTES
        if left < 0:
            return max(count, 1)
    return len(events)
