"""What has to hold in the moment in which a run is recorded, of the tables and of the fake alike."""

from dataclasses import replace

import pytest
from builders import NOON, a_key, a_plan, a_run, later

from outpost.domain.admission import Allowance, Form, Usage
from outpost.domain.api_key import KeyStatus, hash_secret
from outpost.domain.deployment import Breaker
from outpost.domain.errors import TenantSuspended
from outpost.domain.plan import month_of
from outpost.domain.run import RunStatus
from outpost.domain.tenant import TenantStatus
from outpost.domain.usage import Reservation
from outpost.ports import IdempotencyLock, NotAdmitted

from .both import SWITCH, numbered, waiting

ONE_AT_A_TIME = a_plan(concurrent_runs=1, queued_runs=2)
MONTH = month_of(NOON)
LAUNCHED = RunStatus.PENDING
QUEUED = RunStatus.QUEUED
FORMS = [(Form.LAUNCH, LAUNCHED), (Form.BEHIND_OWN, QUEUED), (Form.BEHIND_OTHERS, QUEUED)]


def refused(ports, run, **admission):
    """What was found instead of what the admission expected; nothing was written."""
    before = ports.counters, ports.used
    with pytest.raises(NotAdmitted) as found:
        ports.create(run, **admission)
    assert ports.runs.get("acme", run.run_id) is None
    assert (ports.counters, ports.used) == before
    return found.value


def fill(ports):
    """Take the tenant's only slot."""
    return ports.create(numbered(0, agent="claude"))


def fill_the_deployment(ports):
    """Take the deployment's only slot by another tenant's run."""
    admission = ports.add_tenant("other")
    ports.runs.create(a_run(tenant_id="other", agent="claude"), ports.event(tenant_id="other"), admission)


def leave_room_behind_one_that_waits(ports):
    """A tenant with a free slot, and a run that waits for it."""
    first = fill(ports)
    ports.create(waiting(1))
    ports.save(first, first.ended(RunStatus.FAILED, None, later(seconds=5)))


def test_a_run_that_is_launched_takes_a_slot_of_its_tenant_and_of_the_deployment(ports):
    ports.create(numbered(1))
    assert ports.counters == (1, 0, 1)


def test_the_last_slot_can_be_taken_and_no_more(make_ports):
    ports = make_ports(plan=a_plan(concurrent_runs=2))
    ports.create(numbered(1))
    ports.create(numbered(2))
    found = refused(ports, numbered(3))
    assert (found.tenant.active_runs, found.tenant.plan.concurrent_runs) == (2, 2)


def test_nobody_is_launched_past_those_who_wait(make_ports):
    ports = make_ports(plan=ONE_AT_A_TIME)
    leave_room_behind_one_that_waits(ports)
    found = refused(ports, numbered(2))
    assert (found.tenant.active_runs, found.tenant.queued_runs) == (0, 1)


def test_the_deployments_last_slot_can_be_taken_and_no_more(make_ports):
    ports = make_ports(deployment_runs=2)
    ports.create(numbered(1))
    ports.create(numbered(2))
    found = refused(ports, numbered(3))
    assert (found.deployment.active_runs, found.deployment.most_runs, found.tenant) == (2, 2, None)


def test_a_run_waits_behind_a_full_tenant_without_a_slot(make_ports):
    ports = make_ports(plan=ONE_AT_A_TIME)
    fill(ports)
    ports.create(waiting(1))
    assert ports.counters == (1, 1, 1)
    assert ports.queue.order("acme") == (waiting(1).run_id,)


def test_a_run_waits_behind_others_that_wait_though_there_is_a_slot(make_ports):
    ports = make_ports(plan=ONE_AT_A_TIME)
    leave_room_behind_one_that_waits(ports)
    ports.create(waiting(2))
    assert ports.counters == (0, 2, 0)


def test_nobody_waits_behind_a_tenant_that_has_room(ports):
    found = refused(ports, waiting(1), form=Form.BEHIND_OWN)
    assert (found.tenant.active_runs, found.tenant.queued_runs) == (0, 0)


def test_a_full_tenants_run_waits_though_the_deployment_is_full_too(make_ports):
    ports = make_ports(plan=ONE_AT_A_TIME, deployment_runs=1)
    fill(ports)
    ports.create(waiting(1), form=Form.BEHIND_OWN)
    assert ports.counters == (1, 1, 1)


def test_a_run_waits_behind_a_full_deployment_though_its_tenant_has_room(make_ports):
    ports = make_ports(deployment_runs=1)
    fill_the_deployment(ports)
    ports.create(waiting(1), form=Form.BEHIND_OTHERS)
    assert ports.counters == (0, 1, 1)


def test_nobody_waits_behind_a_deployment_that_has_room(make_ports):
    ports = make_ports(deployment_runs=1)
    found = refused(ports, waiting(1), form=Form.BEHIND_OTHERS)
    assert (found.deployment.active_runs, found.deployment.most_runs, found.tenant) == (0, 1, None)


def test_the_queues_last_place_can_be_taken_and_no_more(make_ports):
    ports = make_ports(plan=ONE_AT_A_TIME)
    fill(ports)
    ports.create(waiting(1))
    ports.create(waiting(2))
    found = refused(ports, waiting(3))
    assert (found.tenant.queued_runs, found.tenant.plan.queued_runs) == (2, 2)


def test_the_queue_behind_a_full_deployment_is_as_long(make_ports):
    ports = make_ports(plan=a_plan(queued_runs=1), deployment_runs=1)
    fill_the_deployment(ports)
    ports.create(waiting(1), form=Form.BEHIND_OTHERS)
    assert refused(ports, waiting(2), form=Form.BEHIND_OTHERS).tenant.queued_runs == 1


def test_a_plan_without_a_queue_lets_nobody_wait(make_ports):
    ports = make_ports(plan=a_plan(concurrent_runs=1, queued_runs=0))
    fill(ports)
    assert refused(ports, waiting(1)).tenant.queued_runs == 0


@pytest.fixture
def crowded(make_ports):
    """Ports where each form would be admitted, were it not for what a test puts in its way."""

    def make(form, *, failures=0):
        ports = make_ports(plan=ONE_AT_A_TIME, deployment_runs=1 if form is Form.BEHIND_OTHERS else 100)
        ports.fail_launches(failures)
        prepare = {Form.LAUNCH: lambda _: None, Form.BEHIND_OWN: fill, Form.BEHIND_OTHERS: fill_the_deployment}
        prepare[form](ports)
        return ports

    return make


@pytest.mark.parametrize(("form", "status"), FORMS)
def test_every_form_is_admitted_where_nothing_is_in_its_way(crowded, form, status):
    ports = crowded(form)
    ports.create(numbered(5, status=status), form=form)
    assert ports.runs.get("acme", numbered(5).run_id).status is status


@pytest.mark.parametrize(("form", "status"), FORMS)
def test_a_suspended_tenant_is_admitted_nothing(crowded, form, status):
    ports = crowded(form)
    ports.change_tenant(status=TenantStatus.SUSPENDED, suspended_reason="unpaid")
    found = refused(ports, numbered(5, status=status), form=form)
    assert (found.tenant.status, found.tenant.suspended_reason) == (TenantStatus.SUSPENDED, "unpaid")


@pytest.mark.parametrize(("form", "status"), FORMS)
def test_the_tenants_kill_switch_lets_nothing_in(crowded, form, status):
    ports = crowded(form)
    ports.change_tenant(kill_switch=SWITCH)
    assert refused(ports, numbered(5, status=status), form=form).tenant.kill_switch == SWITCH


@pytest.mark.parametrize(("form", "status"), FORMS)
def test_the_deployments_kill_switch_lets_nothing_in(crowded, form, status):
    ports = crowded(form)
    ports.deployments.set_kill_switch(SWITCH, ports.event())
    found = refused(ports, numbered(5, status=status), form=form)
    assert (found.deployment.kill_switch, found.tenant) == (SWITCH, None)


@pytest.mark.parametrize(("form", "status"), FORMS)
def test_a_plan_that_has_changed_since_it_was_read_is_shown(crowded, form, status):
    ports = crowded(form)
    ports.change_tenant(plan=replace(ONE_AT_A_TIME, dispatches=7), plan_revision=2)
    found = refused(ports, numbered(5, status=status), form=form)
    assert (found.tenant.plan_revision, found.tenant.plan.dispatches) == (2, 7)


def test_the_plans_new_revision_is_admitted(ports):
    ports.change_tenant(plan=a_plan(dispatches=7), plan_revision=2)
    ports.create(numbered(1), plan_revision=2)
    assert ports.counters == (1, 0, 1)


def test_a_tenant_that_does_not_exist_is_not_served(ports):
    with pytest.raises(TenantSuspended):
        ports.create(a_run(tenant_id="nobody"))


def test_a_key_that_is_gone_admits_nothing(ports):
    found = refused(ports, numbered(1), key_hash=hash_secret("another"))
    assert (found.key_is_invalid, found.tenant, found.deployment, found.usages) == (True, None, None, {})


def test_a_key_revoked_meanwhile_admits_nothing(ports):
    key = ports.keyring.get("acme", a_key().key_id)
    assert ports.keyring.revoke(key, replace(key, status=KeyStatus.REVOKED), ports.event())
    assert refused(ports, numbered(1)).key_is_invalid


def a_key_that_ends(ports, expires_at):
    """The hash of another key of the tenant."""
    key = a_key(key_hash="f" * 64, key_id="01Q3ENHRG0SECONDSECONDSECN", expires_at=expires_at)
    ports.keyring.create(key, ports.event())
    return key.key_hash


def test_a_key_at_its_end_admits_nothing(ports):
    assert refused(ports, numbered(1), key_hash=a_key_that_ends(ports, NOON)).key_is_invalid


def test_a_key_admits_until_a_millisecond_before_its_end(ports):
    ports.create(numbered(1), key_hash=a_key_that_ends(ports, later(seconds=0.001)))
    assert ports.counters == (1, 0, 1)


@pytest.mark.parametrize(
    "limits",
    [{"dispatches": 2}, {"agent_seconds": 1_200}, {"cost_microusd": 3_330}],
    ids=lambda limits: next(iter(limits)),
)
def test_what_exactly_fits_a_limit_is_admitted(ports, limits):
    ports.create(numbered(1), allowances=(Allowance(MONTH, **limits),))
    ports.create(numbered(2), allowances=(Allowance(MONTH, **limits),))
    assert ports.used == Usage(2, 1_200, 3_330)


@pytest.mark.parametrize(
    "limits",
    [{"dispatches": 1}, {"agent_seconds": 1_199}, {"cost_microusd": 3_329}],
    ids=lambda limits: next(iter(limits)),
)
def test_what_is_one_too_many_for_a_limit_is_refused_with_what_was_used(ports, limits):
    ports.create(numbered(1), allowances=(Allowance(MONTH, **limits),))
    found = refused(ports, numbered(2), allowances=(Allowance(MONTH, **limits),))
    assert found.usages == {0: Usage(1, 600, 1_665)}


def test_a_keys_own_budget_is_counted_beside_its_tenants_use(ports):
    own = Allowance(MONTH, key_id=a_key().key_id, cost_microusd=2_000)
    ports.create(numbered(1), allowances=(Allowance(MONTH), own))
    assert ports.accounts.usage("acme", own) == Usage(1, 600, 1_665)
    found = refused(ports, numbered(2), allowances=(Allowance(MONTH), own))
    assert found.usages == {1: Usage(1, 600, 1_665)}


def test_another_period_is_counted_anew(ports):
    ports.create(numbered(1), allowances=(Allowance(MONTH, dispatches=1),))
    february = Allowance(month_of(later(days=31)), dispatches=1)
    ports.create(numbered(2), allowances=(february,), asked=Reservation("2030-02", 600, 1_665))
    assert ports.accounts.usage("acme", february).dispatches == 1


def test_a_run_takes_what_it_may_use_at_most(ports):
    ports.create(numbered(1), asked=Reservation("2030-01", 86_400, 237_000))
    assert ports.used == Usage(1, 86_400, 237_000)


def test_everything_that_does_not_hold_is_told_at_once(make_ports):
    ports = make_ports(plan=ONE_AT_A_TIME, deployment_runs=1)
    first = numbered(1)
    lock = IdempotencyLock("k", "1" * 64, first.run_id, later(hours=24))
    limits = (Allowance(MONTH, dispatches=1), Allowance(MONTH, key_id=a_key().key_id, dispatches=1))
    ports.create(first, allowances=limits, lock=lock)
    found = refused(ports, numbered(2), key_hash="f" * 64, allowances=limits, lock=lock)
    assert (found.key_is_invalid, found.lock_is_taken) == (True, True)
    assert (found.tenant.active_runs, found.deployment.active_runs) == (1, 1)
    assert found.usages == {0: Usage(1, 600, 1_665), 1: Usage(1, 600, 1_665)}


def test_a_taken_lock_is_told_also_where_the_tenant_is_full(make_ports):
    ports = make_ports(plan=ONE_AT_A_TIME)
    lock = IdempotencyLock("k", "1" * 64, numbered(1).run_id, later(hours=24))
    ports.create(numbered(1), lock=lock)
    found = refused(ports, numbered(2), lock=lock)
    assert (found.lock_is_taken, found.tenant.active_runs) == (True, 1)


@pytest.mark.parametrize(("form", "status"), FORMS)
def test_an_agent_that_failed_five_times_is_neither_launched_nor_waited_for(crowded, form, status):
    found = refused(crowded(form, failures=5), numbered(5, status=status), form=form)
    assert (found.deployment.breaker("shell"), found.tenant) == (Breaker(5, later(seconds=4)), None)


@pytest.mark.parametrize(("form", "status"), FORMS)
def test_four_failures_are_in_nobodys_way(crowded, form, status):
    ports = crowded(form, failures=4)
    ports.create(numbered(5, status=status), form=form)
    assert ports.runs.get("acme", numbered(5).run_id).status is status


def test_another_agent_is_launched_meanwhile(ports):
    ports.fail_launches(5)
    ports.create(numbered(1, agent="claude"))
    assert ports.counters == (1, 0, 1)


def test_exactly_one_run_tries_a_half_open_breaker(ports):
    ports.fail_launches(5)
    at = later(seconds=64)
    ports.create(numbered(1, created_at=at))
    found = refused(ports, numbered(2, created_at=at))
    assert found.deployment.breaker("shell") == Breaker(5, at)


def test_a_breaker_is_open_until_the_last_moment_of_its_minute(ports):
    ports.fail_launches(5)
    found = refused(ports, numbered(1, created_at=later(seconds=63.999)))
    assert found.deployment.breaker("shell").failures == 5


def test_a_run_that_waits_leaves_the_try_to_one_that_is_launched(make_ports):
    ports = make_ports(plan=ONE_AT_A_TIME)
    ports.fail_launches(5)
    seen = ports.deployments.get().breaker("shell")
    ports.create(numbered(1, agent="claude"))
    ports.create(waiting(2, created_at=later(seconds=64)))
    assert ports.deployments.get().breaker("shell") == seen
