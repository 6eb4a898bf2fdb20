"""Following a log: how often the service is asked."""

import json
from collections.abc import Callable

import httpx
import pytest

from outpost_cli.client import LONGEST_LOG_PAGE, OutpostClient
from outpost_cli.polling import LogFollower

Page = tuple[int, bool]


@pytest.fixture
def count_pauses(service) -> Callable[..., int]:
    """How often there is a pause while a log of these pages, (how many lines, whether there is more), is followed.

    With the first page the run has this status, after it the run has ended.
    """

    def count(status: str, *pages: Page) -> int:
        statuses, left, pauses = [status], [*pages], []

        def handle(request: httpx.Request) -> httpx.Response:
            if not request.url.path.endswith("/logs"):
                return answer(service.make_run(status=statuses.pop() if statuses else "COMPLETED"))
            lines, has_more = left.pop(0)
            page = {"nextCursor": str(len(left)), "hasMore": has_more}
            return answer({"lines": [service.make_line("line")] * lines}, pagination=page)

        client = OutpostClient("https://api.example.com", "otp_secret", transport=httpx.MockTransport(handle))
        LogFollower(client, on_line=lambda _: None, on_look=lambda _: None, pause=pauses.append).follow(service.run_id)
        assert left == []
        return len(pauses)

    def answer(data: object, **meta: object) -> httpx.Response:
        return httpx.Response(200, text=json.dumps({"success": True, "data": data, "meta": meta}))

    return count


@pytest.mark.parametrize("status", ["RUNNING", "COMPLETED"])
def test_behind_a_page_without_lines_there_is_a_pause_whatever_follows(count_pauses, status):
    assert count_pauses(status, (0, True), (0, True), (0, True), (0, False)) == 3


def test_a_run_that_prints_a_line_at_a_time_is_not_asked_for_each(count_pauses):
    assert count_pauses("RUNNING", (1, True), (0, False)) == 1


def test_behind_a_full_page_there_is_no_pause(count_pauses):
    assert count_pauses("RUNNING", (LONGEST_LOG_PAGE, True), (0, False)) == 0


def test_what_an_ended_run_has_printed_comes_without_a_pause(count_pauses):
    assert count_pauses("COMPLETED", (1, True), (2, True), (0, False)) == 0
