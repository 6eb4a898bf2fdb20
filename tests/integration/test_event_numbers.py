"""The numbers of a run's events, where its changes meet each other on the tables."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from builders import CLAIM, TASK_ARN, a_run, an_admission, an_event, later

from outpost.adapters.dynamo_events import DynamoEvents
from outpost.adapters.dynamo_runs import DynamoRuns
from outpost.adapters.system import SystemClock, UlidIdentifiers
from outpost.domain.errors import Unavailable
from outpost.domain.event import EventType
from outpost.domain.report import Phase
from outpost.use_cases.change_run import Change, change_run

CHANGES = 50
AT_ONCE = 6


class OneCallAtATime:
    """A client whose calls are atomic, as DynamoDB's are; moto's are not, where threads call it."""

    def __init__(self, client):
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, name):
        call = getattr(self._client, name)

        def locked(**request):
            with self._lock:
                return call(**request)

        return locked


@pytest.fixture
def runs(deployment, dynamo_runs):
    """Runs for many threads, with one that is at work."""
    run = a_run(events=1)
    dynamo_runs.create(run, an_event(number=1), an_admission())
    claimed = run.claimed(attempt=1, claim_id=CLAIM, task_arn=TASK_ARN, at=later(seconds=1))
    dynamo_runs.save(run, replace(claimed, events=2), an_event(event_id="01Q3ENHRG0CLAIMED", number=2))
    return DynamoRuns(OneCallAtATime(deployment.dynamodb), deployment.settings)


def progress(number):
    """A decision that always makes the run another."""

    def decide(run):
        beaten = run.beaten(
            attempt=1, claim_id=CLAIM, phase=Phase.RUNNING, message=f"step {number}", at=later(seconds=number)
        )
        return Change(beaten, EventType.RUN_PROGRESS, {"step": str(number)})

    return decide


def change(runs, decide):
    """Change the run, again for as long as others keep changing it."""
    while True:
        try:
            return change_run(
                "acme", a_run().run_id, decide, runs=runs, clock=SystemClock(), identifiers=UlidIdentifiers()
            )
        except Unavailable:
            continue


def test_changes_that_meet_leave_no_gap_and_no_number_twice(deployment, runs):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda number: change(runs, progress(number)), range(CHANGES)))
    events = DynamoEvents(deployment.dynamodb, deployment.settings).of_run("acme", a_run().run_id, after=2, limit=100)
    assert [event.number for event in events] == list(range(3, 3 + CHANGES))
    assert sorted(int(event.details["step"]) for event in events) == list(range(CHANGES))
    assert runs.get("acme", a_run().run_id).events == 2 + CHANGES


def test_a_change_without_an_event_takes_no_number(runs):
    before = runs.get("acme", a_run().run_id)
    beaten = before.beaten(attempt=1, claim_id=CLAIM, phase=Phase.RUNNING, message=None, at=later(seconds=9))
    after = change(runs, lambda _: Change(beaten))
    assert (after.events, after.revision) == (before.events, before.revision + 1)
