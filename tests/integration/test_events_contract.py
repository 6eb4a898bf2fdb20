"""What every `Events` promises: the same tests for the index and for the fake, so that the fake cannot drift."""

from dataclasses import replace

import pytest
from builders import an_admission, an_event, later

from outpost.domain.event import EventType

from .both import numbered

RUN = numbered(1)


@pytest.fixture
def tell(ports):
    """Records the run, and events of it with the numbers; none of them is in the timeline without one."""
    ports.create(RUN)

    def write(*numbers, **changes):
        for number in numbers:
            before = ports.runs.get("acme", RUN.run_id)
            after = replace(before, heartbeat_at=later(seconds=before.revision))
            ports.runs.save(before, after, ports.event(run_id=RUN.run_id, number=number, **changes))

    return write


def numbers(ports, *, after=0, limit=100, tenant_id="acme", run_id=RUN.run_id):
    return [event.number for event in ports.events.of_run(tenant_id, run_id, after=after, limit=limit)]


def test_an_event_comes_back_as_it_was_written(ports):
    event = an_event(
        run_id=RUN.run_id, number=1, type=EventType.RUN_PROGRESS, at=later(seconds=0.123456), details={"phase": "ü"}
    )
    ports.runs.create(RUN, event, an_admission())
    assert ports.events.of_run("acme", RUN.run_id, after=0, limit=10) == (event,)


def test_events_come_in_the_order_of_their_numbers(ports, tell):
    tell(*range(1, 13))
    assert numbers(ports) == list(range(1, 13))


def test_their_order_is_not_that_of_their_times(ports, tell):
    tell(1, at=later(seconds=5))
    tell(2, at=later(seconds=4))
    assert numbers(ports) == [1, 2]


def test_only_those_behind_so_many_come(ports, tell):
    tell(1, 2, 3)
    assert numbers(ports, after=1) == [2, 3]
    assert numbers(ports, after=3) == []


def test_no_more_come_than_were_asked_for(ports, tell):
    tell(1, 2, 3, 4)
    assert numbers(ports, after=1, limit=2) == [2, 3]


def test_nothing_comes_from_behind_a_gap(ports, tell):
    tell(1, 2, 4, 5)
    assert numbers(ports) == [1, 2]
    assert numbers(ports, after=2) == []
    tell(3)
    assert numbers(ports, after=2) == [3, 4, 5]


def test_an_event_without_a_number_is_in_no_timeline(ports, tell):
    tell(None)
    assert numbers(ports) == []


def test_another_runs_events_are_not_this_ones(ports, tell):
    tell(1)
    ports.runs.create(numbered(2), ports.event(run_id=numbered(2).run_id, number=1), an_admission())
    assert (numbers(ports), numbers(ports, run_id=numbered(3).run_id)) == ([1], [])


def test_another_tenants_events_are_not_this_ones(ports, tell):
    tell(1)
    theirs = ports.add_tenant("other")
    event = ports.event(tenant_id="other", run_id=RUN.run_id, number=1, type=EventType.RUN_PROGRESS)
    ports.runs.create(numbered(1, tenant_id="other"), event, theirs)
    assert ports.events.of_run("other", RUN.run_id, after=0, limit=9) == (event,)
    assert EventType.RUN_PROGRESS not in [
        event.type for event in ports.events.of_run("acme", RUN.run_id, after=0, limit=9)
    ]
