"""Runs of an agent that is not to be launched now are passed over, and nobody else waits for that."""

from dataclasses import dataclass, field, replace

import pytest
from builders import a_run, a_tenant, later
from fake_runs import InMemoryQueue

from outpost.domain.deployment import Breaker
from outpost.domain.run import RunStatus
from outpost.domain.tenant import Tenant
from outpost.use_cases.hand_out_slots import hand_out_slots

OPEN = Breaker(5, later(seconds=-59))
HALF_OPEN = Breaker(5, later(seconds=-60))


@dataclass
class WatchedQueue(InMemoryQueue):
    """A queue that tells of tenants as they were once seen, and remembers whom it was to show no longer."""

    seen: tuple[Tenant, ...] | None = None
    settled: list[str] = field(default_factory=list)

    def waiting_tenants(self, limit):
        return super().waiting_tenants(limit) if self.seen is None else self.seen

    def settle(self, tenant_id):
        self.settled.append(tenant_id)


@pytest.fixture
def queue(world):
    return WatchedQueue(world.runs)


def wait(world, *agents, tenant_id="acme", first=1):
    """Let a run of each agent wait, the oldest first."""
    world.runs.tenants.setdefault(tenant_id, a_tenant(tenant_id=tenant_id))
    for number, agent in enumerate(agents, first):
        run_id = f"01Q3ENHRG0{number:016d}"
        world.add(a_run(tenant_id=tenant_id, run_id=run_id, agent=agent, status=RunStatus.QUEUED))


def give(world, queue):
    """Hand out; the numbers of the runs that got a slot, in order."""
    before = len(world.runs.events)
    given = hand_out_slots(replace(world.giver, queue=queue))
    released = [int(event.run_id[10:]) for event in world.runs.events[before:]]
    assert given == len(released)
    return released


def test_those_behind_it_that_are_of_other_agents_get_their_slots(world, queue):
    wait(world, "claude", "shell", "claude", "codex")
    world.change_deployment(breakers={"claude": OPEN})
    assert give(world, queue) == [2, 4]
    assert world.tenant().queued_runs == 2


def test_several_agents_are_passed_over_at_once(world, queue):
    wait(world, "claude", "codex", "claude", "shell")
    world.change_deployment(breakers={"claude": OPEN, "codex": OPEN})
    assert give(world, queue) == [4]


def test_an_agent_that_is_not_launched_is_not_launched_for_other_tenants_either(world, queue):
    wait(world, "claude", "shell")
    wait(world, "claude", "shell", tenant_id="other", first=11)
    world.change_deployment(breakers={"claude": OPEN})
    assert give(world, queue) == [2, 12]


def test_a_tenant_that_waits_for_such_an_agent_alone_keeps_nobody_from_a_slot_and_stays_in_the_index(world, queue):
    wait(world, "claude", "claude")
    wait(world, "shell", tenant_id="other", first=11)
    world.change_deployment(breakers={"claude": OPEN})
    assert give(world, queue) == [11]
    assert "acme" not in queue.settled
    assert world.tenant().queued_runs == 2


def test_a_tenant_of_whom_nobody_waits_is_taken_out_of_the_index(world, queue):
    queue.seen = (world.tenant(),)
    assert give(world, queue) == []
    assert queue.settled == ["acme"]


def test_what_was_passed_over_gets_its_slot_when_the_agent_is_launched_again(world, queue):
    wait(world, "claude")
    world.change_deployment(breakers={"claude": OPEN})
    assert give(world, queue) == []
    world.clock.move(seconds=1)
    assert give(world, queue) == [1]


def test_one_run_tries_a_half_open_breaker_and_the_others_wait_for_what_becomes_of_it(world, queue):
    wait(world, "claude", "claude", "shell", "claude")
    world.clock.move(seconds=5)
    world.change_deployment(breakers={"claude": HALF_OPEN})
    assert give(world, queue) == [1, 3]
    assert world.runs.deployment.breaker("claude") == Breaker(5, later(seconds=5))
    assert give(world, queue) == []


def test_a_trial_that_nothing_was_heard_of_for_a_minute_is_followed_by_another(world, queue):
    wait(world, "claude", "claude")
    world.change_deployment(breakers={"claude": HALF_OPEN})
    assert give(world, queue) == [1]
    world.clock.move(seconds=60)
    assert give(world, queue) == [2]


def test_a_run_that_took_the_trial_in_the_queue_leaves_none_for_a_dispatch(world, queue):
    wait(world, "shell")
    world.change_deployment(breakers={"shell": HALF_OPEN})
    give(world, queue)
    assert world.runs.deployment.breaker("shell").retry_after_seconds(world.clock.now()) == 60
