"""What every `Queue`, `Deployments` and `Slots` promises, of the tables and of the fake alike."""

from dataclasses import replace

import pytest
from builders import a_plan, later

from outpost.domain.admission import Form
from outpost.domain.deployment import Deployment
from outpost.domain.run import Priority, RunStatus
from outpost.domain.tenant import TenantStatus

from .both import SWITCH, numbered, waiting

ONE_AT_A_TIME = a_plan(concurrent_runs=1)
NOW = later(minutes=5)


@pytest.fixture
def full(make_ports):
    """The ports, with a tenant that has taken its only slot."""
    ports = make_ports(plan=ONE_AT_A_TIME)
    ports.create(numbered(0))
    return ports


def test_nobody_waits_at_first(ports):
    assert (ports.queue.head("acme"), ports.queue.order("acme")) == (None, ())
    assert ports.queue.waiting_tenants(10) == ()


def test_those_who_wait_are_in_order_of_priority_then_of_age(full):
    queue_up(full, Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.NORMAL, Priority.HIGH)
    expected = tuple(waiting(number).run_id for number in (3, 5, 2, 4, 1))
    assert (full.queue.order("acme"), full.queue.head("acme")) == (expected, expected[0])


def test_runs_of_some_agents_can_be_left_out(full):
    full.create(waiting(1, agent="claude"))
    full.create(waiting(2, agent="codex"))
    full.create(waiting(3))
    assert full.queue.head("acme", {"claude"}) == waiting(2).run_id
    assert full.queue.head("acme", {"claude", "codex"}) == waiting(3).run_id
    assert full.queue.head("acme", {"claude", "codex", "shell"}) is None


def test_who_leaves_the_queue_lets_the_next_one_up(full):
    first = full.create(waiting(1))
    full.create(waiting(2))
    full.save(first, first.cancel_requested(None, NOW))
    assert full.queue.head("acme") == waiting(2).run_id


def test_a_queue_is_its_tenants_own(full):
    full.create(waiting(1))
    full.add_tenant("other")
    assert full.queue.order("other") == ()


def queue_up(ports, *priorities):
    """Waiting runs of the priorities, numbered from 1."""
    for number, priority in enumerate(priorities, start=1):
        ports.create(waiting(number, priority=priority))


def make_full(ports, tenant_id, number):
    """Another tenant whose one slot is taken, and the run that waits for it."""
    admission = ports.add_tenant(tenant_id, plan=ONE_AT_A_TIME)
    ports.runs.create(numbered(number, tenant_id=tenant_id), ports.event(tenant_id=tenant_id), admission)
    run = waiting(number + 1, tenant_id=tenant_id)
    ports.runs.create(run, ports.event(tenant_id=tenant_id), replace(admission, form=Form.BEHIND_OWN))
    return run


def make_wait(ports, tenant_id, number):
    """Another tenant with a run that waits, and room for it."""
    run = make_full(ports, tenant_id, number)
    first = numbered(number, tenant_id=tenant_id)
    ports.save(first, first.ended(RunStatus.FAILED, None, NOW))
    return run


def serve_and_wait_again(ports, tenant_id, number, at):
    """Another tenant, one of whose runs got a slot at that time and has ended; others of it go on waiting."""
    run = make_wait(ports, tenant_id, number)
    released = ports.save(run, run.released(at))
    ports.save(released, released.ended(RunStatus.FAILED, None, NOW))
    ports.set_counters(tenant_id, queued_runs=1)


def shown(ports, limit=10):
    """The ids of the tenants that wait."""
    return [tenant.tenant_id for tenant in ports.queue.waiting_tenants(limit)]


def test_tenants_are_waiting_while_they_have_runs_that_wait_and_room(ports):
    make_wait(ports, "waits", 10)
    ports.add_tenant("idle")
    assert shown(ports) == ["waits"]


def test_a_waiting_tenant_is_shown_whole(ports):
    make_wait(ports, "waits", 10)
    (tenant,) = ports.queue.waiting_tenants(10)
    assert (tenant.active_runs, tenant.queued_runs, tenant.plan) == (0, 1, ONE_AT_A_TIME)


def test_a_tenant_without_room_is_not_shown(ports):
    make_full(ports, "full", 10)
    assert shown(ports) == []


@pytest.mark.parametrize("change", [{"status": TenantStatus.SUSPENDED}, {"kill_switch": SWITCH}], ids=str)
def test_a_tenant_that_may_not_start_is_not_shown(make_ports, change):
    ports = make_ports(plan=ONE_AT_A_TIME)
    first = ports.create(numbered(0))
    ports.create(waiting(1))
    ports.save(first, first.ended(RunStatus.FAILED, None, NOW))
    before = shown(ports)
    ports.change_tenant(**change)
    assert (before, shown(ports)) == (["acme"], [])


def test_the_tenant_that_was_served_longest_ago_comes_first(ports):
    serve_and_wait_again(ports, "alpha", 10, later(seconds=30))
    serve_and_wait_again(ports, "beta", 20, later(seconds=10))
    serve_and_wait_again(ports, "gamma", 30, later(seconds=20))
    assert shown(ports) == ["beta", "gamma", "alpha"]


def test_a_tenant_that_was_never_served_comes_before_one_that_was(ports):
    serve_and_wait_again(ports, "served", 10, later(seconds=10))
    make_wait(ports, "never", 20)
    assert shown(ports) == ["never", "served"]


def test_no_more_tenants_are_shown_than_were_asked_for(ports):
    make_wait(ports, "alpha", 10)
    make_wait(ports, "beta", 20)
    assert len(shown(ports, limit=1)) == 1


def test_tenants_without_room_do_not_hide_one_that_has_some(ports):
    make_full(ports, "alpha", 10)
    make_full(ports, "beta", 20)
    serve_and_wait_again(ports, "gamma", 30, later(seconds=30))
    assert shown(ports, limit=1) == ["gamma"]


def test_a_tenant_whose_queue_is_empty_is_taken_out(ports):
    run = make_wait(ports, "waits", 10)
    ports.save(run, run.cancel_requested(None, NOW))
    ports.queue.settle("waits")
    assert shown(ports) == []


def test_a_tenant_that_has_runs_waiting_is_not_taken_out(ports):
    make_wait(ports, "waits", 10)
    ports.queue.settle("waits")
    assert shown(ports) == ["waits"]


def test_a_tenant_that_waits_again_is_shown_again(make_ports):
    ports = make_ports(plan=ONE_AT_A_TIME)
    first, run = ports.create(numbered(0)), ports.create(waiting(1))
    ports.save(run, run.cancel_requested(None, NOW))
    ports.queue.settle("acme")
    ports.create(waiting(2))
    ports.save(first, first.ended(RunStatus.FAILED, None, NOW))
    assert shown(ports) == ["acme"]


def test_settling_a_tenant_that_is_gone_makes_none(ports):
    ports.queue.settle("other")
    assert ports.accounts.get("other") is None


def test_a_deployment_is_open_and_empty_at_first(make_ports):
    ports = make_ports(deployment_runs=7)
    assert ports.deployments.get() == Deployment(most_runs=7)


def test_a_deployments_switch_is_put_on_replaced_and_lifted(ports):
    newer = replace(SWITCH, reason="worse", stop_running=True)
    ports.deployments.set_kill_switch(SWITCH, ports.event())
    ports.deployments.set_kill_switch(newer, ports.event())
    assert ports.deployments.get().kill_switch == newer
    ports.deployments.set_kill_switch(None, ports.event())
    assert ports.deployments.get().kill_switch is None


def test_a_switch_leaves_counter_and_breakers_alone(ports):
    ports.fail_launches(2)
    ports.create(numbered(1))
    ports.deployments.set_kill_switch(SWITCH, ports.event())
    deployment = ports.deployments.get()
    assert (deployment.active_runs, deployment.breaker("shell").failures) == (1, 2)


def test_lifting_a_switch_that_is_off_changes_nothing(ports):
    ports.deployments.set_kill_switch(None, ports.event())
    ports.create(numbered(1))
    assert ports.deployments.get().kill_switch is None


def test_counters_that_are_right_are_left_alone(full):
    full.create(waiting(1))
    assert (full.slots.correct("acme", NOW), full.slots.correct_deployment()) == (0, 0)
    assert full.counters == (1, 1, 1)


@pytest.mark.parametrize(
    ("wrong", "drift"),
    [
        ({"active_runs": 3}, 2),
        ({"active_runs": -1}, 2),
        ({"queued_runs": 4}, 3),
        ({"active_runs": 0, "queued_runs": 0}, 2),
    ],
)
def test_counters_that_drifted_are_set_to_the_runs_there_are(full, wrong, drift):
    full.create(waiting(1))
    full.set_counters(**wrong)
    assert full.slots.correct("acme", NOW) == drift
    assert full.counters == (1, 1, 1)


def test_a_run_that_has_ended_counts_no_longer(full):
    run = full.runs.get("acme", numbered(0).run_id)
    full.save(run, run.ended(RunStatus.FAILED, None, NOW))
    full.set_counters(active_runs=5)
    assert full.slots.correct("acme", NOW) == 5
    assert full.tenant.active_runs == 0


def test_a_tenant_that_is_gone_has_no_drift(ports):
    assert ports.slots.correct("other", NOW) == 0


def test_the_deployments_counter_is_set_to_the_sum_of_its_tenants(full):
    others = full.add_tenant("other")
    full.runs.create(numbered(1, tenant_id="other"), full.event(tenant_id="other"), others)
    full.set_counters("other", active_runs=4)
    assert full.slots.correct_deployment() == 3
    assert full.deployments.get().active_runs == 5


def test_tenants_whose_counters_are_not_zero_are_found(full):
    full.add_tenant("idle")
    full.add_tenant("waits")
    full.set_counters("waits", queued_runs=1)
    assert sorted(full.slots.holders()) == ["acme", "waits"]
