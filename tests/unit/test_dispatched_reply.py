"""What a dispatch answers of its place in the queue."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from builders import a_run
from fake_runs import InMemoryQueue

from outpost.api.dispatch import dispatched_reply
from outpost.domain.errors import Unavailable
from outpost.domain.run import RunStatus
from outpost.use_cases.dispatch_run import Dispatched

QUEUED = a_run(status=RunStatus.QUEUED)


@dataclass
class SilentQueue(InMemoryQueue):
    """A queue that does not say who waits."""

    def order(self, tenant_id):
        raise Unavailable("DynamoDB")


def reply(run, queue, *, is_replay=False):
    return dispatched_reply(Dispatched(run, is_replay), "https://api.example.com/dev", SimpleNamespace(queue=queue))


def test_a_run_that_waits_is_told_its_place(world):
    world.add(a_run(run_id="01Q3ENHRG00000000000000000", status=RunStatus.QUEUED), QUEUED)
    assert reply(QUEUED, world.queue).data["queuePosition"] == 2


@pytest.mark.parametrize(("is_replay", "status"), [(False, 201), (True, 200)])
def test_a_run_whose_place_cannot_be_read_is_answered_without_it(world, is_replay, status):
    answer = reply(QUEUED, SilentQueue(world.runs), is_replay=is_replay)
    assert (answer.status, answer.data["runId"], answer.data["queuePosition"]) == (status, QUEUED.run_id, None)


def test_for_a_run_that_does_not_wait_nobody_is_asked(world):
    assert "queuePosition" not in reply(a_run(), SilentQueue(world.runs)).data
