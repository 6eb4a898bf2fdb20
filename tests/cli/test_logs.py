"""`outpost logs`."""

import json
import os
import signal
from dataclasses import replace

import pytest


@pytest.fixture
def page_of(service):
    def make(*messages, next_cursor, has_more):
        lines = [service.make_line(message) for message in messages]
        return service.data({"lines": lines}, pagination={"nextCursor": next_cursor, "hasMore": has_more})

    return make


def test_the_log_is_printed_page_by_page(outpost, service, page_of):
    service.on(
        "GET",
        f"/runs/{service.run_id}/logs",
        page_of("one", "two", next_cursor="a", has_more=True),
        page_of("three", next_cursor="b", has_more=False),
    )
    result = outpost("logs", service.run_id)
    assert result.stdout == "one\ntwo\nthree\n"
    assert dict(service.seen[1].query)["cursor"] == "a"


@pytest.fixture
def interruptible():
    """Ctrl-C arrives, also where the tests were started by a shell that keeps it from what is in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_each_page_is_printed_before_the_next_and_ctrl_c_ends_it(outpost, service, page_of):
    interrupted = replace(
        page_of("three", next_cursor="b", has_more=True), meanwhile=lambda: os.kill(os.getpid(), signal.SIGINT)
    )
    service.on(
        "GET", f"/runs/{service.run_id}/logs", page_of("one", "two", next_cursor="a", has_more=True), interrupted
    )
    result = outpost("logs", service.run_id)
    assert (result.exit_code, result.stdout) == (130, "one\ntwo\n")
    assert "Error INTERRUPTED: Interrupted.\nWhat to do: Run the command again.\n" in result.stderr


def test_the_log_of_a_run_at_work_ends_where_no_more_is_written(outpost, service, page_of):
    service.on(
        "GET",
        f"/runs/{service.run_id}/logs",
        page_of("one", next_cursor="a", has_more=True),
        page_of(next_cursor="b", has_more=True),
        page_of("two", next_cursor="c", has_more=True),
        page_of(next_cursor="c", has_more=True),
    )
    assert outpost("logs", service.run_id).stdout == "one\ntwo\n"
    assert len(service.seen) == 4


def test_a_long_line_is_not_wrapped_in_a_pipe(outpost, service, page_of):
    service.on("GET", f"/runs/{service.run_id}/logs", page_of("x" * 8192, next_cursor="a", has_more=False))
    assert outpost("logs", service.run_id).stdout == "x" * 8192 + "\n"


def test_timestamps_put_time_and_stream_before_the_line(outpost, service, page_of):
    service.on("GET", f"/runs/{service.run_id}/logs", page_of("one", next_cursor="a", has_more=False))
    assert outpost("logs", service.run_id, "--timestamps").stdout == "2026-01-01T12:00:01.000Z stdout one\n"


def test_json_has_the_lines_of_all_pages_as_they_came(outpost, service, page_of):
    service.on(
        "GET",
        f"/runs/{service.run_id}/logs",
        page_of("\x1b[31mone", next_cursor="a", has_more=True),
        page_of("two", next_cursor="b", has_more=False),
    )
    lines = json.loads(outpost("logs", service.run_id, "--json").stdout)["lines"]
    assert [line["message"] for line in lines] == ["\x1b[31mone", "two"]


def test_an_agent_cannot_rewrite_the_terminal(outpost, service, page_of):
    service.on(
        "GET",
        f"/runs/{service.run_id}/logs",
        page_of("\x1b[2J\x1b]0;evil\x07[red]safe\r", next_cursor="a", has_more=False),
    )
    assert outpost("logs", service.run_id).stdout == "[red]safe\N{REPLACEMENT CHARACTER}\n"


def test_follow_ends_only_when_a_page_after_the_end_was_empty(outpost, service, page_of):
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status="COMPLETED")))
    service.on(
        "GET",
        f"/runs/{service.run_id}/logs",
        page_of("one", next_cursor="a", has_more=False),
        page_of("late", next_cursor="b", has_more=False),
        page_of(next_cursor="b", has_more=False),
    )
    result = outpost("logs", service.run_id, "--follow")
    assert result.stdout == "one\nlate\n"
    assert result.exit_code == 0


def test_follow_waits_at_the_service_while_the_run_goes_on(outpost, service, page_of):
    running, ended = (service.data(service.make_run(status=status)) for status in ("RUNNING", "TIMEOUT"))
    service.on("GET", f"/runs/{service.run_id}", running, ended)
    service.on("GET", f"/runs/{service.run_id}/logs", page_of(next_cursor="a", has_more=False))
    result = outpost("logs", service.run_id, "--follow")
    waits = [dict(seen.query)["wait"] for seen in service.seen_on("GET", f"/runs/{service.run_id}/logs")]
    assert waits == ["5", "5"]
    assert result.exit_code == 11


def test_follow_with_json_keeps_stdout_for_one_document(outpost, service, page_of):
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status="COMPLETED")))
    service.on(
        "GET",
        f"/runs/{service.run_id}/logs",
        page_of("one", next_cursor="a", has_more=False),
        page_of(next_cursor="a", has_more=False),
        page_of("one", next_cursor="a", has_more=False),
    )
    result = outpost("logs", service.run_id, "--follow", "--json")
    assert [line["message"] for line in json.loads(result.stdout)["lines"]] == ["one"]
    assert "one\n" in result.stderr
