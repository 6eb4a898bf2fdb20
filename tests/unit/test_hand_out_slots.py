from dataclasses import dataclass, field, replace

import pytest
from builders import a_plan, a_run, a_tenant, later
from fake_runs import InMemoryQueue

from outpost.domain.kill_switch import KillSwitch
from outpost.domain.run import Priority, RunStatus
from outpost.domain.tenant import Tenant, TenantStatus
from outpost.domain.token import Purpose, verify
from outpost.use_cases.hand_out_slots import SLOTS, TENANTS, hand_out_slots

SWITCH = KillSwitch("too much", later(), "operator")


def name(number):
    return f"01Q3ENHRG0{number:016d}"


def wait(world, *numbers, tenant_id="acme", **changes):
    """Let runs wait, the lower number the older."""
    world.runs.tenants.setdefault(tenant_id, a_tenant(tenant_id=tenant_id))
    runs = [
        a_run(tenant_id=tenant_id, run_id=name(number), status=RunStatus.QUEUED, wait_tokens=(name(number),), **changes)
        for number in numbers
    ]
    world.add(*runs)


def give(world, freed_by=None, **ports):
    """Hand out; the numbers of the runs that got a slot, in order."""
    before = len(world.runs.events)
    given = hand_out_slots(replace(world.giver, **ports), freed_by)
    released = [int(event.run_id[10:]) for event in world.runs.events[before:]]
    assert given == len(released)
    return released


@dataclass
class LaggingQueue(InMemoryQueue):
    """A queue that first tells of places which are taken by now, or of tenants as they were once seen."""

    stale: list[str] = field(default_factory=list)
    seen: tuple[Tenant, ...] | None = None

    def head(self, tenant_id, without_agents=()):
        return self.stale.pop(0) if self.stale else super().head(tenant_id, without_agents)

    def waiting_tenants(self, limit):
        return super().waiting_tenants(limit) if self.seen is None else self.seen


def test_a_run_that_gets_its_slot_waits_for_its_runner_and_its_execution_goes_on(world):
    wait(world, 1)
    world.clock.move(seconds=30)
    assert give(world) == [1]
    run = world.run()
    claims = verify(world.signing_key.value(), Purpose.RUNNER_BOOTSTRAP, world.executions.released[name(1)], later())
    assert (run.status, run.status_since) == (RunStatus.PENDING, later(seconds=30))
    assert claims["exp"] == int(later(seconds=30 + 1200).timestamp())
    assert world.event_types() == ["run.released"]
    assert (world.tenant().active_runs, world.tenant().queued_runs) == (1, 0)
    assert (world.tenant().served_at, world.runs.deployment.active_runs) == (later(seconds=30), 1)


def test_where_nobody_waits_nothing_is_given(world):
    assert give(world) == []


def test_within_a_tenant_the_highest_priority_comes_first_and_then_the_oldest(world):
    wait(world, 1, 4, priority=Priority.LOW)
    wait(world, 5, 2)
    wait(world, 6, 3, priority=Priority.HIGH)
    assert give(world) == [3, 6, 2, 5, 1, 4]


def test_no_more_is_given_than_the_tenant_may_have_at_work(world):
    wait(world, 1, 2, 3)
    world.change_tenant(active_runs=8)
    assert give(world) == [1, 2]
    assert world.tenant().active_runs == 10


def test_no_more_is_given_than_the_deployment_may_have_at_work(world):
    wait(world, 1, 2, 3)
    world.change_deployment(active_runs=98)
    assert give(world) == [1, 2]
    assert world.runs.deployment.active_runs == 100


def test_who_has_the_fewest_runs_at_work_comes_first(world):
    wait(world, 1, 2, tenant_id="busy")
    wait(world, 3, 4, tenant_id="idle")
    world.change_tenant("busy", active_runs=2)
    assert give(world) == [3, 4, 1, 2]


def test_equals_take_turns(world):
    wait(world, 1, 2, 3, tenant_id="first")
    wait(world, 4, 5, 6, tenant_id="second")
    assert give(world) == [1, 4, 2, 5, 3, 6]


def test_of_equals_who_was_served_longest_ago_comes_first(world):
    wait(world, 1, tenant_id="lately")
    wait(world, 2, tenant_id="long-ago")
    wait(world, 3, tenant_id="never")
    world.change_tenant("lately", served_at=later(seconds=-1))
    world.change_tenant("long-ago", served_at=later(hours=-1))
    assert give(world) == [3, 2, 1]


def test_who_has_just_been_served_comes_after_its_equals(world):
    wait(world, 1, 2, tenant_id="idle")
    wait(world, 3, tenant_id="busy")
    world.change_tenant("idle", served_at=later(hours=-2))
    world.change_tenant("busy", served_at=later(hours=-1), active_runs=1)
    assert give(world) == [1, 3, 2]


@pytest.mark.parametrize("closed", [{"status": TenantStatus.SUSPENDED}, {"kill_switch": SWITCH}, {"active_runs": 10}])
def test_a_tenant_that_may_start_nothing_is_passed_over(world, closed):
    wait(world, 1)
    wait(world, 2, tenant_id="other")
    world.change_tenant(**closed)
    assert give(world) == [2]
    assert world.tenant().queued_runs == 1


@pytest.mark.parametrize("closed", [{"status": TenantStatus.SUSPENDED}, {"kill_switch": SWITCH}, {"active_runs": 10}])
def test_for_a_tenant_that_may_start_nothing_no_write_is_tried(world, closed):
    wait(world, 1)
    world.change_tenant(**closed)
    world.runs.before_changes = ["a write"]
    assert give(world) == []
    assert world.runs.before_changes == ["a write"]


def test_while_the_deployment_is_stopped_nobody_gets_a_slot(world):
    wait(world, 1)
    world.change_deployment(kill_switch=SWITCH)
    assert give(world) == []
    world.change_deployment(kill_switch=None)
    assert give(world) == [1]


def test_a_tenant_that_was_closed_in_the_same_moment_does_not_keep_others_from_their_slots(world):
    wait(world, 1, 2)
    wait(world, 3, tenant_id="other")
    seen = world.queue.waiting_tenants(10)
    world.change_tenant(kill_switch=SWITCH)
    assert give(world, queue=LaggingQueue(world.runs, seen=seen)) == [3]


def test_whose_run_has_ended_is_looked_at_though_the_index_does_not_show_it_yet(world):
    wait(world, 1)
    assert give(world, queue=LaggingQueue(world.runs, seen=())) == []
    assert give(world, freed_by="acme", queue=LaggingQueue(world.runs, seen=())) == [1]


@pytest.mark.parametrize("tenant_id", ["acme", "nobody"])
def test_the_end_of_a_run_of_whom_nobody_waits_gives_to_others(world, tenant_id):
    wait(world, 1, tenant_id="other")
    assert give(world, freed_by=tenant_id) == [1]


def test_a_place_of_a_run_that_is_not_there_gives_way_to_other_tenants(world):
    wait(world, 1)
    wait(world, 2, tenant_id="other")
    assert give(world, queue=LaggingQueue(world.runs, stale=[name(9)])) == [2]


def test_a_place_of_a_run_that_was_cancelled_meanwhile_takes_no_slot(world):
    wait(world, 1)
    world.add(a_run(run_id=name(9), status=RunStatus.CANCELLED, wait_tokens=("gone",)))
    hand_out_slots(replace(world.giver, queue=LaggingQueue(world.runs, stale=[name(9)])))
    assert world.event_types() == ["run.released"]
    assert world.tenant().active_runs == 1
    assert list(world.executions.released) == [name(1)]


@pytest.mark.parametrize("status", [RunStatus.PENDING, RunStatus.CANCELLED])
def test_only_slots_that_were_given_are_counted(world, status):
    wait(world, 1)
    world.add(a_run(run_id=name(9), status=status))
    assert give(world, queue=LaggingQueue(world.runs, stale=[name(9)])) == [1]


def test_a_slot_that_another_gave_in_the_same_moment_is_not_given_twice(world):
    wait(world, 1)
    waiting = world.run()
    world.runs.before_changes = [lambda: world.runs.save(waiting, waiting.released(later()), None)]
    hand_out_slots(world.giver)
    assert (world.tenant().active_runs, world.tenant().queued_runs) == (1, 0)


def test_an_execution_that_cannot_be_told_hears_of_its_slot_from_the_sweep(world):
    wait(world, 1)
    world.executions.start(world.run(), "")
    world.executions.is_down = True
    assert give(world) == [1]
    assert world.run().status is RunStatus.PENDING
    world.executions.is_down = False
    world.clock.move(seconds=90)
    world.sweep()
    assert name(1) in world.executions.released


def test_an_execution_that_has_not_asked_yet_is_told_when_it_asks(world):
    world.add(a_run(status=RunStatus.QUEUED))
    assert hand_out_slots(world.giver) == 1
    assert world.executions.released == {}


def test_one_go_is_bounded_and_the_next_goes_on(world):
    wait(world, *range(1, SLOTS + 6))
    world.change_tenant(plan=a_plan(concurrent_runs=2 * SLOTS))
    world.change_deployment(most_runs=2 * SLOTS)
    assert give(world) == list(range(1, SLOTS + 1))
    assert give(world) == list(range(SLOTS + 1, SLOTS + 6))


@pytest.mark.parametrize("closed", [{"status": TenantStatus.SUSPENDED}, {"active_runs": 10}])
def test_however_many_tenants_may_start_nothing_another_gets_its_slot(world, closed):
    crowd = [f"closed-{number}" for number in range(TENANTS)]
    world.runs.tenants = {tenant_id: a_tenant(tenant_id=tenant_id, queued_runs=1, **closed) for tenant_id in crowd}
    wait(world, 1, tenant_id="open")
    world.change_tenant("open", served_at=later(hours=-1))
    assert give(world) == [1]
