"""A run is watched while it happens: everything once, in order, soon, and over as many answers as it takes."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from httpx_sse import connect_sse

pytestmark = pytest.mark.xdist_group("stack")

LINES = 60
NUMBERED = f"for n in $(seq {LINES}); do echo line $n at $(date +%s.%N); sleep 0.1; done"
SPOT = ("SpotInterruption", "Your Spot Task was interrupted.")
MOST_ANSWERS = 60


@dataclass(frozen=True)
class Heard:
    """A message of a stream: in which of its answers it came, and when."""

    answer: int
    at: float
    id: str
    event: str
    data: dict[str, Any]


def watch(caller, run_id) -> Iterator[Heard]:
    """A run's stream as a client hears it who knows the protocol and no more, until `done`."""
    headers: dict[str, str] = {}
    for answer in range(MOST_ANSWERS):
        with connect_sse(caller.http, "GET", f"/runs/{run_id}/events", headers=headers) as source:
            source.response.raise_for_status()
            for message in messages_of(source):
                heard = Heard(answer, time.time(), message.id, message.event, message.json())
                headers = {"Last-Event-ID": message.id}
                yield heard
                if heard.event == "done":
                    return
        time.sleep(1)
    raise AssertionError(f"no end after {MOST_ANSWERS} answers")


def messages_of(source):
    """The messages of an answer; the reader takes what has no data, as `retry` alone, for one too."""
    return (message for message in source.iter_sse() if message.data)


def lines_of(heard, attempt=1):
    """(what an attempt printed, when it was heard), in the order in which it was told."""
    logs = [message for message in heard if message.event == "log" and message.data["attempt"] == attempt]
    return [
        (line["message"], message.at)
        for message in logs
        for line in message.data["lines"]
        if line["message"].startswith("line ")
    ]


def numbers(lines):
    return [int(text.split()[1]) for text, _ in lines]


@pytest.fixture(scope="module")
def run_id(caller) -> str:
    """A run that prints numbered lines for some seconds, each with the moment in which it was written."""
    return caller.dispatch(NUMBERED)


@pytest.fixture(scope="module")
def heard(caller, run_id) -> list[Heard]:
    return list(watch(caller, run_id))


def test_every_line_is_heard_once_and_in_order_over_several_answers(heard):
    assert numbers(lines_of(heard)) == list(range(1, LINES + 1))
    assert len({message.answer for message in heard if message.event == "log"}) > 3


def test_it_was_taken_up_again_at_least_three_times(heard):
    assert heard[-1].answer >= 3


def test_a_line_is_heard_within_two_seconds(heard):
    assert statistics.median(at - float(text.split()[3]) for text, at in lines_of(heard)) < 2


def test_what_it_did_is_heard_in_its_order(heard):
    statuses = [message.data["status"] for message in heard if message.event == "status"]
    assert statuses == ["PENDING", "RUNNING", "COMPLETED"]
    assert [message.event for message in heard][-2:] == ["status", "done"]


def test_every_message_has_an_id_of_its_own(heard):
    assert len({message.id for message in heard}) == len(heard)


def test_the_stream_tells_what_the_pages_do(heard, caller, run_id):
    told = [message.data["type"] for message in heard if message.event in ("status", "progress")]
    listed = caller.http.get(f"/runs/{run_id}/events", params={"limit": 100}).json()
    assert told == [event["type"] for event in listed["data"]["events"]] == caller.event_types(run_id)
    assert not listed["meta"]["pagination"]["hasMore"]


def test_it_can_be_taken_up_again_behind_every_message(heard, caller, run_id):
    """The run is over: what follows is the same again, though answers may be cut otherwise."""
    places = [heard[0], heard[len(heard) // 2], heard[-2]]
    assert [resume(caller, run_id, place) for place in places] == [rest_behind(heard, place) for place in places]


def resume(caller, run_id, place):
    """(events, numbers of lines) that come behind the message."""
    answers = [place]
    while answers[-1].event != "done":
        headers = {"Last-Event-ID": answers[-1].id}
        with connect_sse(caller.http, "GET", f"/runs/{run_id}/events", headers=headers) as source:
            answers += [Heard(0, 0, m.id, m.event, m.json()) for m in messages_of(source)]
    return summary(answers[1:])


def rest_behind(heard, place):
    return summary(heard[heard.index(place) + 1 :])


def summary(heard):
    others = [(message.event, message.data) for message in heard if message.event != "log"]
    return others, numbers(lines_of(heard))


def test_after_the_end_there_is_nothing_to_hear(heard, caller, run_id):
    headers = {"Accept": "text/event-stream", "Last-Event-ID": heard[-1].id}
    answer = caller.http.get(f"/runs/{run_id}/events", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.fixture(scope="module")
def lost_run_id(caller) -> str:
    """A run whose first attempt prints some lines and is lost with its machine; the second one prints them all."""
    run_id = caller.dispatch("for n in $(seq 20); do echo line $n; sleep 0.1; done")
    caller.wait_for_output(run_id, "line 5")
    fargate = caller.stack.fargate
    task = next(task for task in fargate.tasks() if task.run_id == run_id)
    fargate.stop_task(fargate.find_task(task.task_arn), *SPOT)
    assert caller.wait(run_id)["attempt"] == 2
    return run_id


def test_the_lines_of_a_lost_attempt_are_heard_before_those_of_the_next(lost_run_id, caller):
    heard = list(watch(caller, lost_run_id))
    first, second = (numbers(lines_of(heard, attempt)) for attempt in (1, 2))
    assert (first, second) == (list(range(1, len(first) + 1)), list(range(1, 21)))
    assert 5 <= len(first) < 20
    attempts = [message.data["attempt"] for message in heard if message.event == "log"]
    assert attempts == sorted(attempts)


def test_the_log_of_a_run_with_a_lost_attempt_has_both_once(lost_run_id, caller):
    pages = [caller.http.get(f"/runs/{lost_run_id}/logs", params={"limit": 7}).json()]
    while pages[-1]["meta"]["pagination"]["hasMore"]:
        cursor = pages[-1]["meta"]["pagination"]["nextCursor"]
        pages.append(caller.http.get(f"/runs/{lost_run_id}/logs", params={"limit": 7, "cursor": cursor}).json())
    printed = [line["message"] for page in pages for line in page["data"]["lines"] if line["message"][:5] == "line "]
    first = printed[:-20]
    assert first == printed[-20:][: len(first)]
    assert printed[-20:] == [f"line {number}" for number in range(1, 21)]
    assert 5 <= len(first) < 20


def test_a_launch_that_failed_leaves_no_hole_in_the_stream(caller):
    caller.stack.fargate.fail_next_launches("CannotPullContainerError: the registry did not answer")
    heard = list(watch(caller, caller.dispatch("echo line 1")))
    statuses = [message.data["status"] for message in heard if message.event == "status"]
    assert statuses == ["PENDING", "PENDING", "RUNNING", "COMPLETED"]
    assert (numbers(lines_of(heard, 1)), numbers(lines_of(heard, 2))) == ([], [1])
