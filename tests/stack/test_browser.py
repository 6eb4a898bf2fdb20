"""A browser follows a run: its own EventSource, a page of another origin, a token in the address."""

import pytest
from browser import CHROMIUM, browse, processes_of
from browser_page import serve_page

pytestmark = [
    pytest.mark.xdist_group("stack"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on the PATH"),
]

LINES = 40
SECONDS = 30


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    return tmp_path_factory.mktemp("chromium") / "profile"


@pytest.fixture(scope="module")
def heard(caller, profile) -> dict:
    """What a page heard of a run that prints numbered lines for some seconds."""
    token = caller.http.post("/auth/token", json={"scopes": ["status"]}).json()["data"]["token"]
    run_id = caller.dispatch(f"for n in $(seq {LINES}); do echo line $n; sleep 0.15; done")
    profile.mkdir()
    with serve_page(caller.stack.api_url, run_id, token) as page, browse(page.url, profile):
        return page.await_end(SECONDS)


def of_type(heard, kind):
    return [message for message in heard["messages"] if message["type"] == kind]


def test_it_came_again_at_least_three_times(heard):
    assert heard["opensAtDone"] - 1 >= 3


def test_it_heard_every_line_once_and_in_order(heard):
    lines = [line["message"] for message in of_type(heard, "log") for line in message["data"]["lines"]]
    assert [line for line in lines if line.startswith("line ")] == [f"line {number}" for number in range(1, LINES + 1)]


def test_it_heard_what_became_of_the_run(heard):
    statuses = [message["data"]["status"] for message in of_type(heard, "status")]
    assert statuses == ["PENDING", "RUNNING", "COMPLETED"]


def test_it_heard_of_the_end_once_and_last(heard):
    assert [message["type"] for message in heard["messages"]].count("done") == 1
    assert heard["messages"][-1]["data"]["status"] == "COMPLETED"
    assert of_type(heard, "error") == []


def test_every_message_had_an_id_of_its_own(heard):
    ids = [message["id"] for message in heard["messages"]]
    assert "" not in ids
    assert len(set(ids)) == len(ids)


def test_it_asked_for_nothing_after_the_end(heard):
    assert (heard["opens"], heard["losses"]) == (heard["opensAtDone"], heard["lossesAtDone"])


def test_nothing_of_it_is_left(heard, profile):
    assert processes_of(profile) == []
