"""`outpost events`."""

import json

import pytest

PATH = "/runs/01JZ0000000000000000000000/events"


def make_event(type: str, **changes: object) -> dict[str, object]:  # noqa: A002
    """An entry of a timeline as the service tells it."""
    return {
        "eventId": "01JZ0000000000000000000009",
        "type": type,
        "at": "2026-01-01T12:00:01.000Z",
        "attempt": 1,
        "details": {},
        **changes,
    }


ACCEPTED = make_event("run.accepted")
RELAUNCHED = make_event("run.relaunched", attempt=2, details={"because": "SPOT\x1b[2J", "phase": None})


@pytest.fixture
def page_of(service):
    def make(*events, cursor="c", has_more=True):
        return service.data({"events": [*events]}, pagination={"nextCursor": cursor, "hasMore": has_more, "limit": 100})

    return make


def test_the_timeline_is_a_table(outpost, service, page_of):
    service.on("GET", PATH, page_of(ACCEPTED, RELAUNCHED, has_more=False))
    heading, *rows = [line.split() for line in outpost("events", service.run_id).stdout.splitlines()]
    assert heading == ["TIME", "EVENT", "ATTEMPT", "DETAILS"]
    assert [row[3:] for row in rows] == [["run.accepted", "1", "-"], ["run.relaunched", "2", "because=SPOT"]]


def test_the_timeline_goes_through_every_page_and_ends_where_a_living_run_has_no_more(outpost, service, page_of):
    service.on("GET", PATH, page_of(ACCEPTED, cursor="c1"), page_of(RELAUNCHED, cursor="c2"), page_of(cursor="c2"))
    result = outpost("events", service.run_id, "--json")
    assert json.loads(result.stdout) == {"events": [ACCEPTED, RELAUNCHED]}
    assert [dict(seen.query).get("cursor") for seen in service.seen] == [None, "c1", "c2"]
    assert {dict(seen.query)["wait"] for seen in service.seen} == {"0"}


def test_follow_prints_each_event_until_nothing_follows(outpost, service, page_of):
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status="TIMEOUT")))
    ended = make_event("run.timeout")
    service.on("GET", PATH, page_of(ACCEPTED), page_of(RELAUNCHED), page_of(), page_of(ended, has_more=False))
    result = outpost("events", service.run_id, "--follow")
    assert [line.split()[3:] for line in result.stdout.splitlines()] == [
        ["run.accepted"],
        ["run.relaunched", "attempt", "2", "because=SPOT"],
        ["run.timeout"],
    ]
    assert result.stderr == f"{service.run_id} TIMEOUT\n"
    assert result.exit_code == 11
    assert {dict(seen.query)["wait"] for seen in service.seen_on("GET", PATH)} == {"20"}


def test_follow_with_json_keeps_stdout_for_one_document(outpost, service, page_of):
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status="COMPLETED")))
    service.on("GET", PATH, page_of(ACCEPTED), page_of(RELAUNCHED, has_more=False))
    result = outpost("events", service.run_id, "--follow", "--json")
    assert json.loads(result.stdout) == {"events": [ACCEPTED, RELAUNCHED]}
    assert [json.loads(line) for line in result.stderr.splitlines()[:2]] == [ACCEPTED, RELAUNCHED]


def test_a_run_that_is_not_there_is_told(outpost):
    assert outpost("events", "01JZ0000000000000000000009").exit_code == 4
