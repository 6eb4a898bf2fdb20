"""A page of a log has at most a megabyte, as CloudWatch Logs has it, and none of the lines is lost between pages."""

import time

import boto3
import pytest
from moto import mock_aws

from outpost_local.log_pages import bridge_log_pages
from outpost_local.patching import Patches

LOG = {"logGroupName": "g", "logStreamName": "s"}
# With what each counts beside its text, seven of them are more than a megabyte.
LONG = 150_000


@pytest.fixture
def logs(monkeypatch):
    """A log of ten long lines, on a bridged moto."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    patches = Patches()
    bridge_log_pages(patches)
    with mock_aws():
        client = boto3.client("logs", region_name="us-east-1")
        client.create_log_group(logGroupName=LOG["logGroupName"])
        client.create_log_stream(**LOG)
        for number in range(10):
            event = {"timestamp": int(time.time() * 1000), "message": str(number) * LONG}
            client.put_log_events(**LOG, logEvents=[event])
        yield client
    patches.undo()


def numbers(page):
    return [int(event["message"][0]) for event in page["events"]]


def test_pages_of_a_megabyte_have_every_line_once(logs):
    first = logs.get_log_events(**LOG, startFromHead=True)
    second = logs.get_log_events(**LOG, startFromHead=True, nextToken=first["nextForwardToken"])
    end = logs.get_log_events(**LOG, startFromHead=True, nextToken=second["nextForwardToken"])
    assert [numbers(page) for page in (first, second, end)] == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9], []]
    assert end["nextForwardToken"] == second["nextForwardToken"]


def test_a_limit_of_lines_holds_still(logs):
    first = logs.get_log_events(**LOG, startFromHead=True, limit=2)
    second = logs.get_log_events(**LOG, startFromHead=True, limit=2, nextToken=first["nextForwardToken"])
    assert [numbers(page) for page in (first, second)] == [[0, 1], [2, 3]]


def test_the_end_of_a_log_is_as_moto_has_it(logs):
    assert numbers(logs.get_log_events(**LOG, limit=2)) == [8, 9]
