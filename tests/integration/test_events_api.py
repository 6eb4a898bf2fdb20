"""GET /runs/{id}/events: as pages, as a stream, and for browsers."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from builders import CLAIM, NOON, TASK_ARN, an_api_event, later
from event_messages import read_messages
from fakes import InMemoryAgentLogs, SteppedClock
from functions import Answer, Api, LambdaContext

from outpost.adapters.dynamo_runs import DynamoRuns
from outpost.adapters.system import UlidIdentifiers
from outpost.api.cursor import make_cursor
from outpost.api.routes import ROUTES
from outpost.domain.event import EventType
from outpost.domain.run import RunStatus
from outpost.domain.token import Purpose, sign
from outpost.ports import LogLine
from outpost.use_cases.change_run import Change, change_run
from outpost.use_cases.follow_run import LINES_AT_ONCE
from outpost_runner.log_lines import format_lines

EVENTS = "/runs/{id}/events"
STREAM = {"Accept": "text/event-stream"}
NO_KEY = {"Authorization": ""}
MEBIBYTE = 1024 * 1024
OTHER_ROUTES = [route for route in ROUTES if route.needs_key and route.path != EVENTS]


@dataclass
class Watched:
    """A run of the API's tenant, which happens as the test says."""

    api: Api
    run_id: str
    runs: DynamoRuns
    logs: InMemoryAgentLogs
    clock: SteppedClock

    def pages(self, *, headers: dict[str, str] | None = None, **query: str) -> Answer:
        """A page of its events."""
        given = {name: [value] for name, value in query.items()}
        return self.api.get(EVENTS, self.run_id, query=given, headers=headers or {})

    def stream(self, *, headers: dict[str, str] | None = None, **query: str) -> Answer:
        """One answer of its stream."""
        return self.pages(headers={**STREAM, **(headers or {})}, **query)

    def claim(self) -> "Watched":
        """A runner takes it."""
        return self._change(
            EventType.RUN_RUNNING,
            lambda run, at: run.claimed(attempt=1, claim_id=CLAIM, task_arn=TASK_ARN, at=at),
        )

    def stop(self) -> "Watched":
        """A cancel is asked for."""
        return self._change(EventType.RUN_CANCELLING, lambda run, at: run.cancel_requested("enough", at))

    def end(self) -> "Watched":
        """It has been cancelled, and its last lines have had the time to arrive."""
        self._change(EventType.RUN_CANCELLED, lambda run, at: run.ended(RunStatus.CANCELLED, None, at))
        self.clock.move(seconds=60)
        return self

    def tell(self, event_type: EventType, **details: str) -> "Watched":
        """An event of the run that changes nothing else."""
        return self._change(event_type, lambda run, at: run.checked(at), details)

    def write(self, message: str) -> "Watched":
        """Its agent prints a line."""
        self.clock.move(seconds=1)
        self.logs.write(TASK_ARN, LogLine(self.clock.now(), "stdout", message))
        return self

    def write_often(self, message: str, times: int) -> "Watched":
        """Its agent prints the same line so many times at once."""
        self.logs.logs[TASK_ARN] = [LogLine(self.clock.now(), "stdout", message)] * times
        return self

    def _change(self, event_type: EventType, decide: Any, details: dict[str, str] | None = None) -> "Watched":
        self.clock.move(seconds=1)
        change_run(
            self.api.tenant_id,
            self.run_id,
            lambda run: Change(decide(run, self.clock.now()), event_type, details or {}),
            runs=self.runs,
            clock=self.clock,
            identifiers=UlidIdentifiers(),
        )
        return self


@pytest.fixture(scope="module")
def stepped_clock(functions) -> SteppedClock:
    """The clock of the module's functions."""
    clock = SteppedClock()
    for function in functions.values():
        function.wiring.clock = clock
    return clock


@pytest.fixture
def clock(stepped_clock) -> SteppedClock:
    """It is noon at the beginning of each test."""
    stepped_clock.at = NOON
    return stepped_clock


@pytest.fixture
def watch(clock, make_api, api_deployment):
    """Makes a run to be watched, of a tenant of its own or of the API's."""

    def make(api: Api | None = None) -> Watched:
        api = api or make_api()
        logs = InMemoryAgentLogs()
        api.functions["read"].wiring.agent_logs = logs
        runs = DynamoRuns(api_deployment.dynamodb, api_deployment.settings)
        return Watched(api, api.dispatch().data["runId"], runs, logs, clock)

    return make


@pytest.fixture
def watched(watch) -> Watched:
    return watch()


def types(answer):
    return [event["type"] for event in answer.data["events"]]


def cursor_of(answer):
    return answer.body["meta"]["pagination"]["nextCursor"]


def refusal(answer):
    return answer.status, answer.error["code"]


def test_events_are_listed_oldest_first(watched):
    watched.claim().stop().end()
    assert types(watched.pages()) == ["run.accepted", "run.running", "run.cancelling", "run.cancelled"]


def test_an_event_has_every_field_of_the_contract(watched):
    event = watched.claim().pages().data["events"][1]
    assert set(event) == {"eventId", "type", "at", "attempt", "details"}
    assert (event["at"], event["attempt"], event["details"]) == ("2030-01-01T12:00:01.000Z", 1, {})


def test_pages_of_events_go_on_from_their_cursors(watched):
    watched.claim().stop().end()
    first = watched.pages(limit="3")
    second = watched.pages(limit="3", cursor=cursor_of(first))
    assert [types(first)[-1], *types(second)] == ["run.cancelling", "run.cancelled"]
    assert [answer.body["meta"]["pagination"]["hasMore"] for answer in (first, second)] == [True, False]


def test_the_cursor_at_the_end_of_a_run_that_lives_goes_on_with_what_comes(watched):
    first = watched.pages()
    empty = watched.pages(cursor=cursor_of(first))
    watched.claim()
    assert (types(empty), types(watched.pages(cursor=cursor_of(empty)))) == ([], ["run.running"])


def test_a_cursor_is_good_for_the_events_of_one_run_of_one_tenant_only(watch):
    watched, theirs = watch(), watch()
    another = watch(watched.api)
    cursors = [
        cursor_of(another.pages()),
        cursor_of(theirs.pages()),
        cursor_of(watched.api.get("/runs/{id}/logs", watched.run_id)),
        read_messages(watched.stream().text)[0].id,
        "nonsense",
        "",
    ]
    assert [refusal(watched.pages(cursor=cursor)) for cursor in cursors] == [(400, "INVALID_CURSOR")] * 6


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "101"}, {"wait": "21"}, {"wait": "-1"}, {"wait": "1.5"}, {"type": "run.running"}],
)
def test_a_wrong_parameter_of_the_events_is_named(watched, query):
    answer = watched.pages(**query)
    assert refusal(answer) == (400, "VALIDATION_ERROR")
    assert [error["path"] for error in answer.error["details"]["errors"]] == list(query)


def test_a_page_waits_for_the_next_event_as_long_as_it_may(watched):
    cursor, before = cursor_of(watched.pages()), watched.clock.now()
    assert types(watched.pages(cursor=cursor, wait="7")) == []
    assert 6 <= (watched.clock.now() - before).total_seconds() <= 7


def test_a_page_does_not_wait_where_there_is_something(watched):
    before = watched.clock.now()
    assert types(watched.pages(wait="20")) == ["run.accepted"]
    assert watched.clock.now() == before


def test_a_stream_is_text_that_nobody_keeps(watched):
    answer = watched.stream()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_stream_begins_with_when_to_come_again_and_has_a_block_for_each_message(watched):
    text = watched.stream().text
    event_id = read_messages(text)[0].id
    assert text.startswith(f"retry: 1000\nid: {event_id}\nevent: status\ndata: {{")
    assert text.endswith("}\n\n")
    assert text.count("\n") == 5


def test_a_stream_tells_events_output_and_the_end_in_their_order(watched):
    watched.claim().write("one").write("two").stop().end()
    told = read_messages(watched.stream().text)
    told += read_messages(watched.stream(headers={"Last-Event-ID": told[-1].id}).text)
    assert [message.event for message in told] == ["status", "status", "log", "status", "status", "done"]
    assert len({message.id for message in told}) == 6


def test_a_status_says_what_the_run_has_become(watched):
    told = read_messages(watched.claim().stream().text)
    assert [message.data["status"] for message in told] == ["PENDING", "RUNNING"]
    assert told[1].data == {
        "runId": watched.run_id,
        "type": "run.running",
        "at": "2030-01-01T12:00:01.000Z",
        "attempt": 1,
        "details": {},
        "status": "RUNNING",
    }


def test_a_waiting_run_is_told_as_queued(make_api, watch):
    api = make_api(plan={"concurrentRuns": 1})
    watch(api)
    assert read_messages(watch(api).stream().text)[0].data["status"] == "QUEUED"


def test_a_phase_is_told_as_progress(watched):
    message = read_messages(watched.tell(EventType.RUN_PROGRESS, phase="cloning").stream().text)[1]
    assert (message.event, message.data["phase"], message.data["message"]) == ("progress", "cloning", None)


@pytest.mark.parametrize(
    ("event_type", "details", "text"),
    [
        (EventType.RUN_REPORTED, {"outcome": "succeeded"}, "The runner reported: succeeded."),
        (
            EventType.RUN_REPORTED,
            {"outcome": "succeeded", "leftOut": "big.bin: It is larger than 10 bytes.", "notices": "It was cloned."},
            "The runner reported: succeeded. Left out: big.bin: It is larger than 10 bytes. It was cloned.",
        ),
        (EventType.RUN_STOPPING, {"because": "RUN_TIMEOUT"}, "Its compute is being stopped: RUN_TIMEOUT."),
        (EventType.RUN_STOPPING, {}, "Its compute is being stopped: not said."),
    ],
)
def test_what_happens_on_the_way_is_told_in_words(watched, event_type, details, text):
    assert read_messages(watched.tell(event_type, **details).stream().text)[1].data["message"] == text


def test_output_is_told_with_its_attempt_and_its_streams(watched):
    message = read_messages(watched.claim().write("hello").stream().text)[-1]
    assert message.data == {
        "runId": watched.run_id,
        "attempt": 1,
        "lines": [{"timestamp": "2030-01-01T12:00:02.000Z", "stream": "stdout", "message": "hello"}],
    }


def test_data_is_one_line_whatever_a_reader_takes_for_the_end_of_one(watched):
    strange = "a\nb\rc\r\nd\x0be\x0cf\x1cg\x1dh\x1ei\x85j\u2028k\u2029l\0 é \U0001f680"
    text = watched.claim().write(strange).stream().text
    assert text.splitlines() == text.split("\n")[:-1]
    assert read_messages(text)[-1].data["lines"][0]["message"] == strange


def test_a_stream_goes_on_behind_the_last_id(watched):
    watched.claim().stop().write("one")
    told = read_messages(watched.stream().text)
    resumed = [read_messages(watched.stream(headers={"Last-Event-ID": message.id}).text) for message in told[:-1]]
    assert resumed == [told[1:], told[2:], told[3:]]


def test_the_last_id_may_stand_in_the_query(watched):
    told = read_messages(watched.claim().stream().text)
    assert read_messages(watched.stream(lastEventId=told[0].id).text) == told[1:]


def test_the_header_is_newer_than_the_query(watched):
    """A browser repeats the address that it was given, and sends the header of its own accord."""
    told = read_messages(watched.claim().stop().stream().text)
    answer = watched.stream(lastEventId=told[0].id, headers={"Last-Event-ID": told[1].id})
    assert read_messages(answer.text) == told[2:]


def test_an_id_is_good_for_one_run_of_one_tenant_only(watch):
    watched, theirs = watch(), watch()
    another = watch(watched.api)
    ids = [
        read_messages(another.stream().text)[0].id,
        read_messages(theirs.stream().text)[0].id,
        cursor_of(watched.pages()),
        cursor_of(watched.api.get("/runs/{id}/logs", watched.run_id)),
        "nonsense",
        "é",
        "a.b",
    ]
    in_headers = [refusal(watched.stream(headers={"Last-Event-ID": event_id})) for event_id in ids]
    in_queries = [refusal(watched.stream(lastEventId=event_id)) for event_id in ids]
    assert in_headers == in_queries == [(400, "INVALID_CURSOR")] * 7


def test_without_news_a_stream_is_a_comment_after_twenty_seconds(watched):
    last_id, before = read_messages(watched.stream().text)[-1].id, watched.clock.now()
    answer = watched.stream(headers={"Last-Event-ID": last_id})
    assert answer.text == "retry: 1000\n: nothing new\n\n"
    assert 19 <= (watched.clock.now() - before).total_seconds() <= 20


def test_a_stream_with_more_behind_it_asks_to_come_again_at_once(watched):
    watched.claim().write_often("line", LINES_AT_ONCE + 1)
    full = watched.stream()
    rest = watched.stream(headers={"Last-Event-ID": read_messages(full.text)[-1].id})
    assert [answer.text.split("\n")[0] for answer in (full, rest)] == ["retry: 0", "retry: 1000"]


@pytest.mark.parametrize("message", ["x", "x" * 8_000, '"' * 8_000, "\x01" * 2_700, "\x85" * 8_000, "\u2028" * 5_400])
def test_as_much_output_as_cloudwatch_gives_at_once_fits_into_an_answer_of_lambdas(watched, message):
    """It gives a megabyte, in which a line is what the runner has written, and 26 bytes."""
    [written] = format_lines("stdout", message)
    fitting = MEBIBYTE // (len(written.encode()) + 26)
    answer = watched.claim().write_often(message, min(fitting, LINES_AT_ONCE)).stream()
    assert len(json.dumps(answer.text)) < 6_000_000


def test_whoever_comes_again_after_the_end_is_told_nothing(watched):
    done = read_messages(watched.stop().end().stream().text)[-1]
    assert (done.event, done.data) == ("done", {"runId": watched.run_id, "status": "CANCELLED"})
    answer = watched.stream(headers={"Last-Event-ID": done.id})
    assert (answer.status, answer.text) == (204, "")


def test_an_id_that_is_too_old_is_told_in_the_stream(watched):
    last_id = read_messages(watched.claim().write("one").stream().text)[-1].id
    watched.logs.expire_tokens()
    answer = watched.stream(headers={"Last-Event-ID": last_id})
    assert answer.status == 200
    [message] = read_messages(answer.text)
    assert (message.event, message.data["code"]) == ("error", "CURSOR_EXPIRED")
    assert set(message.data) == {"code", "message", "remedy"}


def test_a_browser_whose_id_is_too_old_begins_again_by_itself(watched):
    """It repeats the id of its address, with the id of the last message, if that is not empty, in the header."""
    told = read_messages(watched.claim().write("one").stream().text)
    watched.logs.expire_tokens()
    [expired] = read_messages(watched.stream(lastEventId=told[-1].id).text)
    again = watched.stream(lastEventId=told[-1].id, headers={"Last-Event-ID": expired.id})
    assert [message.data for message in read_messages(again.text)] == [message.data for message in told]


def test_a_place_in_the_output_that_an_earlier_version_gave_is_still_one(watched):
    """It was a token alone, of an attempt that was the first one where no other is said."""
    watched.claim().write("one").write("two")
    token = watched.logs.page("shell", TASK_ARN, token=None, limit=1).next_token
    assert [output_behind(watched, token), output_behind(watched, "")] == [["two"], ["one", "two"]]


def output_behind(watched, position):
    """The run's output behind a cursor with the position."""
    listed = {"list": "logs", "run": watched.run_id}
    signing_key = watched.api.functions["read"].wiring.signing_key.value()
    cursor = make_cursor(signing_key, watched.api.tenant_id, listed, position)
    answer = watched.api.get("/runs/{id}/logs", watched.run_id, query={"cursor": [cursor]})
    return [line["message"] for line in answer.data["lines"]]


def token_of(api, *scopes):
    wish = {"scopes": list(scopes)} if scopes else {}
    return api.call("POST", "/auth/token", function="account", json=wish).data["token"]


def test_a_browser_sends_its_token_in_the_query(watched):
    answer = watched.stream(access_token=token_of(watched.api, "status"), headers=NO_KEY)
    assert [message.event for message in read_messages(answer.text)] == ["status"]
    assert types(watched.pages(access_token=token_of(watched.api), headers=NO_KEY)) == ["run.accepted"]


def test_a_key_in_the_query_is_401(watched):
    answer = watched.stream(access_token=watched.api.key, headers=NO_KEY)
    assert refusal(answer) == (401, "AUTHENTICATION_ERROR")
    assert watched.api.key not in answer.text


@pytest.mark.parametrize("token", ["", "ott_", "ott_nonsense", "ott_a.b", "ott_é", "Bearer ott_a.b", "otp_" + "0" * 64])
def test_what_is_no_token_in_the_query_is_the_same_401_as_nothing(watched, token):
    answer = watched.stream(access_token=token, headers=NO_KEY)
    assert answer.status == 401
    assert answer.error == watched.stream(headers=NO_KEY).error


def test_a_token_in_the_query_that_is_over_is_401(watched):
    token = token_of(watched.api)
    watched.clock.move(minutes=16)
    assert watched.stream(access_token=token, headers=NO_KEY).status == 401


def test_a_token_of_another_kind_in_the_query_is_401(watched):
    signing_key = watched.api.functions["read"].wiring.signing_key.value()
    claims = {"key": "k", "scopes": "status", "exp": int(later(hours=1).timestamp())}
    forged = "ott_" + sign(signing_key, Purpose.CURSOR, claims)
    assert watched.stream(access_token=forged, headers=NO_KEY).status == 401


def test_a_token_in_the_query_needs_the_scope(watched):
    answer = watched.stream(access_token=token_of(watched.api, "cancel"), headers=NO_KEY)
    assert refusal(answer) == (403, "AUTHORIZATION_ERROR")
    assert answer.error["details"] == {"scope": "status"}


def test_a_header_wins_over_the_query(watched):
    answer = watched.stream(access_token=token_of(watched.api), headers={"Authorization": "Bearer otp_" + "0" * 64})
    assert answer.status == 401


def test_two_tokens_in_the_query_are_refused(watched):
    token = token_of(watched.api)
    answer = watched.api.get(EVENTS, watched.run_id, query={"access_token": [token, token]}, headers=NO_KEY)
    assert refusal(answer) == (400, "VALIDATION_ERROR")


def send(api, route, **request):
    headers = {"Authorization": f"Bearer {api.key}"} | request.pop("headers", {})
    event = an_api_event(route.method, route.path, path_id="01Q3ENHRG0NNNNNNNNNNNNNNNN", headers=headers, **request)
    answer = api.functions[route.function].handler(event, LambdaContext())
    return Answer(answer["statusCode"], {n: v[0] for n, v in answer["multiValueHeaders"].items()}, answer["body"])


@pytest.mark.parametrize("route", OTHER_ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_no_other_route_takes_a_token_in_the_query(api, route):
    answer = send(api, route, query={"access_token": [token_of(api)]}, headers=NO_KEY)
    assert answer.status == 401
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "route", [route for route in OTHER_ROUTES if route.method == "GET"], ids=lambda route: route.path
)
def test_every_other_route_refuses_the_parameter_by_its_name(api, route):
    answer = send(api, route, query={"access_token": ["ott_a.b"]})
    assert refusal(answer) == (400, "VALIDATION_ERROR")
    assert [error["path"] for error in answer.error["details"]["errors"]] == ["access_token"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_pages_of_any_origin_may_read_every_answer_of_the_route(watched):
    answers = [
        watched.stream(),
        watched.pages(),
        watched.stream(headers={"Last-Event-ID": "nonsense"}),
        watched.stream(headers=NO_KEY),
        watched.pages(limit="0"),
        watched.stream(access_token=token_of(watched.api, "cancel"), headers=NO_KEY),
        watched.api.get(EVENTS, "01Q3ENHRG0NNNNNNNNNNNNNNNN", headers=STREAM),
        watched.api.get(EVENTS, "é", headers=STREAM),
    ]
    assert [answer.status for answer in answers] == [200, 200, 400, 401, 400, 403, 404, 404]
    assert {answer.headers.get("Access-Control-Allow-Origin") for answer in answers} == {"*"}


def test_what_a_browser_may_read_of_one_request_says_nothing_of_the_next(watched):
    watched.stream()
    event = an_api_event("GET", "/runs/{id}/nothing", path_id=watched.run_id)
    answer = watched.api.functions["read"].handler(event, LambdaContext())
    assert (answer["statusCode"], "Access-Control-Allow-Origin" in answer["multiValueHeaders"]) == (404, False)


def test_a_strangers_run_is_the_same_404_as_no_run(watch):
    watched, theirs = watch(), watch()
    foreign = watched.api.get(EVENTS, theirs.run_id, headers=STREAM)
    unknown = watched.api.get(EVENTS, "01Q3ENHRG0NNNNNNNNNNNNNNNN", headers=STREAM)
    assert refusal(foreign) == (404, "NOT_FOUND")
    assert (foreign.error, set(foreign.headers)) == (unknown.error, set(unknown.headers))


def test_an_id_of_ones_own_run_does_not_open_a_strangers(watch):
    watched, theirs = watch(), watch()
    done = read_messages(theirs.stop().end().stream().text)[-1]
    assert refusal(watched.api.get(EVENTS, theirs.run_id, headers={**STREAM, "Last-Event-ID": done.id})) == (
        400,
        "INVALID_CURSOR",
    )
