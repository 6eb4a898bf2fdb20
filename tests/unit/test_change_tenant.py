from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from builders import a_plan, later
from fake_runs import InMemoryAccounts

from outpost.domain.errors import InputInvalid, TenantNotFound, Unavailable
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.plan import PlanKind
from outpost.domain.tenant import TenantStatus
from outpost.use_cases.change_tenant import ATTEMPTS, TenantChanger


@dataclass
class BusyAccounts(InMemoryAccounts):
    """Accounts in which others change the tenant before each write of ours.

    `tries` counts the writes, and `refreshed` keeps which revisions the copies of the plan were to follow.
    """

    others: list[Callable[[], object]] = field(default_factory=list)
    tries: int = 0
    refreshed: list[int] = field(default_factory=list)

    def refresh_copies(self, tenant):
        self.refreshed.append(tenant.plan_revision)

    def change(self, before, after, event):
        self.tries += 1
        if self.others:
            self.others.pop(0)()
        return super().change(before, after, event)


@pytest.fixture
def accounts(world):
    return BusyAccounts(world.runs)


@pytest.fixture
def changer(world, accounts):
    return TenantChanger("a key", accounts, world.clock, world.identifiers)


def make_trial(world, **changes):
    world.change_tenant(plan=a_plan(kind=PlanKind.TRIAL, **changes))


def test_a_suspension_is_recorded_with_its_reason_and_by_whom(world, changer):
    tenant = changer.suspend("acme", "unpaid")
    assert (tenant.status, tenant.suspended_reason) == (TenantStatus.SUSPENDED, "unpaid")
    assert world.tenant() == tenant
    (event,) = world.runs.events
    assert (event.type, event.details) == ("tenant.suspended", {"by": "a key"})


def test_a_tenant_that_is_resumed_has_no_reason_left(world, changer):
    changer.suspend("acme", "unpaid")
    tenant = changer.resume("acme")
    assert (tenant.status, tenant.suspended_reason) == (TenantStatus.ACTIVE, None)
    assert world.event_types() == ["tenant.suspended", "tenant.resumed"]


def test_a_kill_switch_says_why_since_when_and_by_whom(world, changer):
    world.clock.move(seconds=5)
    tenant = changer.set_kill_switch("acme", "too much", stop_running=True)
    assert tenant.kill_switch == KillSwitch("too much", later(seconds=5), "a key", stop_running=True)
    (event,) = world.runs.events
    assert (event.type, event.details) == ("kill-switch.set", {"by": "a key", "reason": "too much"})


def test_a_kill_switch_that_was_on_is_replaced(changer):
    changer.set_kill_switch("acme", "first", stop_running=True)
    assert changer.set_kill_switch("acme", "second", stop_running=False).kill_switch.reason == "second"


def test_a_kill_switch_is_lifted(world, changer):
    changer.set_kill_switch("acme", "too much", stop_running=False)
    assert changer.lift_kill_switch("acme").kill_switch is None
    assert world.tenant().may_start
    assert world.event_types() == ["kill-switch.set", "kill-switch.lifted"]


def test_what_changes_nothing_is_no_event(world, changer, accounts):
    before = world.tenant()
    assert changer.lift_kill_switch("acme") == before
    assert changer.resume("acme") == before
    assert changer.change_plan("acme", lambda plan: plan) == before
    assert (world.event_types(), accounts.tries) == ([], 0)


def test_another_plan_is_another_revision_of_it(world, changer):
    tenant = changer.change_plan("acme", lambda plan: replace(plan, concurrent_runs=3))
    assert (tenant.plan.concurrent_runs, tenant.plan_revision) == (3, 2)
    assert world.event_types() == ["plan.changed"]


@pytest.mark.parametrize(
    "change", [lambda changer: changer.suspend("acme", "x"), lambda changer: changer.lift_kill_switch("acme")]
)
def test_a_change_of_something_else_is_no_revision_of_the_plan(world, changer, accounts, change):
    world.change_tenant(kill_switch=KillSwitch("too much", later(), "operator"))
    assert change(changer).plan_revision == 1
    assert accounts.refreshed == []


def test_the_copies_of_a_plan_follow_its_change(changer, accounts):
    changer.change_plan("acme", lambda plan: replace(plan, concurrent_runs=3))
    assert accounts.refreshed == [2]


def test_the_copies_of_a_trial_follow_its_extension(world, changer, accounts):
    make_trial(world, ends_at=later(days=10))
    changer.extend_trial("acme", 7)
    assert accounts.refreshed == [2]


def test_to_set_a_plan_again_mends_copies_that_have_stayed_old(changer, accounts):
    changer.change_plan("acme", lambda plan: plan)
    assert accounts.refreshed == [1]


def test_a_trial_is_extended_from_its_end(world, changer):
    make_trial(world, ends_at=later(days=10))
    assert changer.extend_trial("acme", 7).plan.ends_at == later(days=17)


def test_a_trial_that_is_over_is_extended_from_now(world, changer):
    make_trial(world, ends_at=later(days=-10))
    tenant = changer.extend_trial("acme", 7)
    assert (tenant.plan.ends_at, tenant.plan_revision) == (later(days=7), 2)


def test_an_extended_trial_goes_on_with_what_it_has_counted(world, changer):
    make_trial(world, ends_at=later(days=-1), started_at=later(days=-15))
    before = world.tenant().plan.period(later())
    assert changer.extend_trial("acme", 7).plan.period(later(days=5)) == before


def test_a_trial_without_an_end_is_not_shortened(world, changer):
    make_trial(world, ends_at=None)
    assert changer.extend_trial("acme", 7).plan.ends_at is None


@pytest.mark.parametrize("kind", [PlanKind.STANDARD, PlanKind.UNLIMITED])
def test_what_is_no_trial_is_not_extended(world, changer, kind):
    world.change_tenant(plan=a_plan(kind=kind))
    with pytest.raises(InputInvalid, match=f"has the plan {kind}, which is no trial"):
        changer.extend_trial("acme", 7)
    assert world.event_types() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda changer: changer.suspend("nobody", "x"),
        lambda changer: changer.resume("nobody"),
        lambda changer: changer.extend_trial("nobody", 1),
        lambda changer: changer.set_kill_switch("nobody", "x", stop_running=False),
        lambda changer: changer.lift_kill_switch("nobody"),
    ],
)
def test_nobody_is_no_tenant(changer, change):
    with pytest.raises(TenantNotFound):
        change(changer)


def test_a_change_is_decided_again_upon_what_another_has_changed(world, changer, accounts):
    longer = replace(world.tenant().plan, longest_timeout_seconds=60)
    accounts.others = [lambda: world.change_tenant(plan=longer, plan_revision=2)]
    tenant = changer.change_plan("acme", lambda plan: replace(plan, concurrent_runs=3))
    assert (tenant.plan.longest_timeout_seconds, tenant.plan.concurrent_runs) == (60, 3)
    assert (tenant.plan_revision, accounts.tries) == (3, 2)
    assert world.event_types() == ["plan.changed"]


def test_slots_that_are_taken_meanwhile_stay_taken(world, changer, accounts):
    accounts.others = [lambda: world.change_tenant(active_runs=4)]
    changer.suspend("acme", "unpaid")
    assert world.tenant().active_runs == 4


def test_a_tenant_that_keeps_changing_is_given_up_after_a_bounded_number_of_attempts(world, changer, accounts):
    accounts.others = [
        lambda: world.change_tenant(plan_revision=world.tenant().plan_revision + 1) for _ in range(2 * ATTEMPTS)
    ]
    with pytest.raises(Unavailable):
        changer.suspend("acme", "unpaid")
    assert accounts.tries == ATTEMPTS
