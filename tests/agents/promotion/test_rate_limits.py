"""How long GitHub asks to wait is read from what it answers."""

import json

import pytest

from outpost_runner.http_request import Answer
from outpost_runner.promotion.github_requests import seconds_to_wait

OTHERWISE_SECONDS = 2.5


def wait_after(status, message="No.", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return seconds_to_wait(Answer(status, json.dumps({"message": message}).encode(), names), OTHERWISE_SECONDS)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_failure_of_the_server_passes_some_time(status):
    assert wait_after(status) == OTHERWISE_SECONDS


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_wait_that_is_asked_for_is_kept(status):
    assert wait_after(status, retry_after="30") == 30


ANSWERED = "Tue, 01 Jan 2030 12:00:00 GMT"
FORTY_SECONDS_LATER = "1893499240"


def test_an_empty_allowance_is_waited_for_until_it_is_filled_by_githubs_own_clock():
    limit = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": FORTY_SECONDS_LATER}
    assert wait_after(403, date=ANSWERED, **limit) == 40


@pytest.mark.parametrize("date", ["", "today"])
def test_an_empty_allowance_without_a_time_is_waited_for_a_little(date):
    limit = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": FORTY_SECONDS_LATER}
    assert wait_after(403, date=date, **limit) == OTHERWISE_SECONDS


def test_a_secondary_limit_without_a_time_is_a_minute():
    assert wait_after(403, "You have exceeded a secondary rate limit.") == 60


@pytest.mark.parametrize("status", [200, 201, 301, 400, 401, 403, 404, 422])
def test_other_answers_are_final(status):
    assert wait_after(status, x_ratelimit_remaining="17") is None
