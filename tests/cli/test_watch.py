"""`outpost watch` in a pipe and for a program: every line once, over as many connections as it takes."""

import json
import re
from itertools import chain

import pytest

STREAM = "/runs/01JZ0000000000000000000000/events"


@pytest.fixture
def ended(service):
    """The run as its own route tells it after its end."""
    run = service.make_run(status="COMPLETED", result={"filesChanged": 1, "insertions": 2, "deletions": 0})
    service.on("GET", f"/runs/{service.run_id}", service.data(run))
    return run


@pytest.fixture
def watch(outpost, service, ended):
    """Watches a run whose stream answers so; its lines lose their time of the day."""

    def run(*replies, options: tuple[str, ...] = ()):
        service.on("GET", STREAM, *replies)
        return outpost("watch", service.run_id, *options)

    return run


def list_lines(result) -> list[str]:
    return [re.sub(r"^\d\d:\d\d:\d\d ", "AT ", line) for line in result.stdout.splitlines()]


def list_ids(service) -> list[str | None]:
    """With which id each connection went on."""
    return [seen.headers.get("last-event-id") for seen in service.seen_on("GET", STREAM)]


def test_changes_output_and_outcome_are_lines_in_a_pipe(watch, service):
    result = watch(
        service.stream(
            service.make_status(1, "RUNNING"),
            service.make_progress(2, "cloning"),
            service.make_progress(3, "running", "3 of 5"),
            service.make_log(4, "one", "two"),
            service.make_status(5, "COMPLETED"),
            service.make_done(6),
        )
    )
    assert list_lines(result) == [
        "AT status RUNNING",
        "AT phase cloning",
        "AT phase running: 3 of 5",
        "one",
        "two",
        "AT status COMPLETED",
        f"{service.run_id} COMPLETED 1 file changed, 2 insertions(+), 0 deletions(-)",
    ]
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ({"passed": True}, "check passed"),
        ({"passed": False, "exitCode": 1}, "check failed"),
        ({"passed": False, "timedOut": True}, "check timed out"),
        ({"passed": None}, ""),
    ],
)
def test_the_last_line_has_the_verdict_of_the_check(outpost, service, verdict, told):
    check = {"command": "npm test", "timedOut": False, **verdict}
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status="COMPLETED", check=check)))
    service.on("GET", STREAM, service.stream(service.make_done(1)))
    result = outpost("watch", service.run_id)
    assert (result.exit_code, result.stdout) == (0, f"{service.run_id} COMPLETED {told}".rstrip() + "\n")


def test_the_stream_is_asked_for_as_one(watch, service):
    watch(service.stream(service.make_done(1)))
    assert service.seen[0].headers["accept"] == "text/event-stream"
    assert service.seen[0].headers["authorization"] == f"Bearer {service.api_key}"
    assert "last-event-id" not in service.seen[0].headers


@pytest.mark.parametrize(("status", "exit_code"), [("FAILED", 10), ("TIMEOUT", 11), ("CANCELLED", 12)])
def test_the_exit_code_tells_the_outcome(outpost, service, status, exit_code):
    service.on("GET", STREAM, service.stream(service.make_done(1, status)))
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status=status)))
    assert outpost("watch", service.run_id).exit_code == exit_code


def test_a_later_attempt_is_told(watch, service):
    result = watch(service.stream(service.make_status(1, "PENDING", attempt=2), service.make_done(2)))
    assert list_lines(result)[0] == "AT status PENDING attempt 2"


def test_a_change_without_a_phase_is_told_by_its_type(watch, service):
    told = service.make_progress(1, None, "Four fifths are used.")
    result = watch(service.stream(told, service.make_done(2)))
    assert list_lines(result)[0] == "AT run.progress: Four fifths are used."


def test_a_connection_that_ended_is_taken_up_behind_its_last_event(watch, service):
    result = watch(
        service.stream(service.make_log(1, "one")),
        service.stream(": nothing new\n\n"),
        service.stream(service.make_log(2, "two"), service.make_done(3)),
    )
    assert list_lines(result)[:-1] == ["one", "two"]
    assert list_ids(service) == [None, "1", "1"]


def test_of_a_connection_that_broke_off_only_what_came_whole_is_told(watch, service):
    broken = service.make_log(2, "two")
    result = watch(
        service.stream(service.make_log(1, "one"), broken[:-1], is_cut=True),
        service.stream(broken, service.make_done(3)),
    )
    assert list_lines(result)[:-1] == ["one", "two"]
    assert list_ids(service) == [None, "1"]


def test_an_event_that_comes_in_pieces_is_one(watch, service):
    message = service.make_log(1, "one \N{ROCKET}")
    result = watch(service.stream(message[:9], message[9:40], message[40:], service.make_done(2)))
    assert list_lines(result)[:-1] == ["one \N{ROCKET}"]


def test_an_event_that_is_sent_again_is_told_once(watch, service):
    result = watch(
        service.stream(service.make_log(1, "one"), service.make_log(2, "two")),
        service.stream(service.make_log(2, "two"), service.make_log(3, "three"), service.make_done(4)),
    )
    assert list_lines(result)[:-1] == ["one", "two", "three"]


def test_two_lines_that_are_alike_are_told_twice(watch, service):
    result = watch(
        service.stream(service.make_log(1, "same", "same"), service.make_log(2, "same"), service.make_done(3))
    )
    assert list_lines(result)[:-1] == ["same"] * 3


def test_a_service_that_is_busy_or_down_for_now_is_asked_again_from_the_same_place(watch, service):
    result = watch(
        service.stream(service.make_log(1, "one")),
        service.error(429, "RATE_LIMITED", retryable=True, Retry_After="1"),
        service.error(503, "SERVICE_UNAVAILABLE", retryable=True, Retry_After="1"),
        service.stream(service.make_log(2, "two"), service.make_done(3)),
    )
    assert list_lines(result)[:-1] == ["one", "two"]
    assert list_ids(service) == [None, "1", "1", "1"]
    assert "Trying again" in result.stderr


def test_every_line_of_a_long_log_comes_once_over_many_connections(watch, service):
    """Connections that end, break off, repeat events, are refused, and forget the place."""
    batches = [[f"line {10 * batch + number}" for number in range(10)] for batch in range(20)]
    logs = [service.make_log(batch, *lines) for batch, lines in enumerate(batches)]
    result = watch(
        service.stream(*logs[:4]),
        service.stream(*logs[4:7], logs[7][:60], is_cut=True),
        service.error(503, "SERVICE_UNAVAILABLE", retryable=True, Retry_After="1"),
        service.stream(*logs[5:9]),
        service.stream(is_cut=True),
        service.stream(service.make_stream_error("CURSOR_EXPIRED")),
        service.stream(*[service.make_log(f"r{number}", *batches[number]) for number in range(3)], is_cut=True),
        service.stream(service.make_log("r3", *chain.from_iterable(batches[3:12])), is_cut=True),
        service.error(429, "RATE_LIMITED", retryable=True, Retry_After="1"),
        service.stream(*logs[12:], service.make_done(99)),
    )
    assert list_lines(result)[:-1] == [f"line {number}" for number in range(200)]
    assert result.exit_code == 0


@pytest.mark.parametrize(
    "refused", [lambda service: service.stream(service.make_stream_error("CURSOR_EXPIRED")),
                lambda service: service.error(400, "INVALID_CURSOR")],
)  # fmt: skip
def test_a_place_that_is_not_known_any_more_is_told_and_nothing_comes_twice(watch, service, refused):
    first = [service.make_status(1, "RUNNING"), service.make_log(2, "same", "same")]
    again = [service.make_status("a", "RUNNING"), service.make_log("b", "same"), service.make_log("c", "same", "same")]
    result = watch(service.stream(*first), refused(service), service.stream(*again, service.make_done("d")))
    assert list_lines(result)[:-1] == ["AT status RUNNING", "same", "same", "same"]
    assert list_ids(service) == [None, "2", None]
    assert "read again from its beginning" in result.stderr


def test_a_service_that_does_not_know_any_place_is_an_error(watch, service):
    result = watch(service.stream(service.make_stream_error("CURSOR_EXPIRED")))
    assert result.exit_code == 1
    assert "CURSOR_EXPIRED: It was CURSOR_EXPIRED." in result.stderr
    assert "Mend CURSOR_EXPIRED." in result.stderr


def test_a_stream_that_has_been_told_to_its_end_needs_no_last_event(watch, service):
    result = watch(service.stream(service.make_log(1, "one")), service.raw(204))
    assert list_lines(result)[:-1] == ["one"]
    assert result.exit_code == 0


def test_connections_that_are_lost_again_and_again_are_an_outage(watch, service):
    result = watch(service.stream(is_cut=True))
    assert result.exit_code == 7
    assert "was lost" in result.stderr
    assert len(service.seen_on("GET", STREAM)) == 6


def test_kinds_of_events_that_are_newer_than_we_are_skipped(watch, service):
    result = watch(
        service.stream("id: 1\nevent: weather\ndata: fine\n\n", service.make_log(2, "one"), service.make_done(3))
    )
    assert list_lines(result)[:-1] == ["one"]


@pytest.mark.parametrize(
    "reply",
    [
        lambda service: service.data({"events": []}),
        lambda service: service.stream("id: 1\nevent: log\ndata: nonsense\n\n"),
        lambda service: service.stream('id: 1\nevent: status\ndata: {"status": "RUNNING"}\n\n'),
        lambda service: service.stream('id: 1\nevent: done\ndata: {"status": "GONE"}\n\n'),
    ],
)
def test_what_is_no_stream_of_outpost_is_told_as_that(watch, service, reply):
    result = watch(reply(service))
    assert result.exit_code == 1
    assert "UNEXPECTED_ANSWER" in result.stderr


def test_an_agent_cannot_rewrite_the_terminal(watch, service):
    result = watch(service.stream(service.make_log(1, "\x1b[2J\x1b]0;evil\x07safe"), service.make_done(2)))
    assert list_lines(result)[0] == "safe"


def test_a_run_that_is_not_there_is_told(outpost):
    assert outpost("watch", "01JZ0000000000000000000009").exit_code == 4


def test_last_is_the_newest_run(watch, service, outpost):
    service.on("GET", "/runs", service.data({"runs": [service.make_run()]}))
    service.on("GET", STREAM, service.stream(service.make_done(1)))
    assert outpost("watch", "last").exit_code == 0


def test_with_json_the_document_is_the_run_and_the_events_are_lines_on_stderr(watch, service, ended):
    result = watch(
        service.stream(service.make_status(1, "RUNNING"), service.make_log(2, "\x1b[31mone")),
        service.stream(service.make_stream_error("CURSOR_EXPIRED")),
        service.stream(service.make_log("a", "\x1b[31mone", "two"), service.make_done("b")),
        options=("--json",),
    )
    events = [json.loads(line) for line in result.stderr.splitlines()]
    assert json.loads(result.stdout) == ended
    assert [event["event"] for event in events] == ["status", "log", "error", "log", "done"]
    assert events[0]["status"] == "RUNNING"
    assert [line["message"] for line in events[1]["lines"]] == ["\x1b[31mone"]
    assert events[2]["code"] == "CURSOR_EXPIRED"
    assert [line["message"] for line in events[3]["lines"]] == ["two"]
