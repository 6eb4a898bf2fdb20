"""How a run is admitted: at once, behind its own, behind others; and with what it takes of the limits."""

from dataclasses import replace

import pytest
from builders import a_key, a_plan, a_tenant, later, terms_of

from outpost.domain.admission import Usage
from outpost.domain.api_key import Restrictions
from outpost.domain.errors import (
    BudgetExceeded,
    PlanEnded,
    PolicyDenied,
    QuotaExceeded,
    Refusal,
    TenantSuspended,
    Unavailable,
)
from outpost.domain.run import RunStatus
from outpost.use_cases.admit_run import ATTEMPTS

JANUARY = ("acme", "2030-01", None)
FULL = {"active_runs": 100}
BUDGETED = a_key(restrictions=Restrictions(monthly_budget_microusd=2_000))


def change_plan(world, **changes):
    """Another plan, of which the keys' copies do not know yet; what they know."""
    before = world.tenant()
    world.change_tenant(plan=replace(before.plan, **changes), plan_revision=before.plan_revision + 1)
    return terms_of(before)


def test_a_run_with_room_begins_and_takes_a_slot_and_its_reservation(world):
    run = world.admit()
    assert world.run() == run
    assert run.status is RunStatus.PENDING
    assert (world.tenant().active_runs, world.runs.deployment.active_runs) == (1, 1)
    assert world.runs.used == {JANUARY: Usage(1, 600, 1_665)}
    assert world.runs.tries == 1


def test_a_run_of_a_full_tenant_waits_behind_its_own(world):
    world.change_tenant(active_runs=10)
    assert world.admit().status is RunStatus.QUEUED
    assert (world.tenant().active_runs, world.tenant().queued_runs) == (10, 1)
    assert world.runs.deployment.active_runs == 0


def test_a_run_does_not_overtake_what_waits_of_its_tenant(world):
    world.change_tenant(active_runs=3, queued_runs=1)
    assert world.admit().status is RunStatus.QUEUED


def test_a_run_waits_behind_others_where_the_deployment_is_full(world):
    world.change_deployment(**FULL)
    assert world.admit().status is RunStatus.QUEUED
    assert world.tenant().queued_runs == 1


def test_a_run_begins_where_the_deployment_has_got_room_meanwhile(world):
    world.change_deployment(**FULL)
    world.runs.after_refusals = [lambda: world.change_deployment(active_runs=99)]
    assert world.admit().status is RunStatus.PENDING
    assert world.runs.deployment.active_runs == 100


def test_a_run_that_was_to_wait_for_others_waits_for_its_own_where_those_took_the_room(world):
    world.change_deployment(**FULL)
    world.runs.after_refusals = [lambda: (world.change_deployment(active_runs=99), world.change_tenant(active_runs=10))]
    assert world.admit().status is RunStatus.QUEUED
    assert world.runs.deployment.active_runs == 99


def test_a_run_that_was_to_wait_begins_where_its_tenant_has_got_room_meanwhile(world):
    world.change_tenant(active_runs=10)
    world.runs.after_refusals = [lambda: world.change_tenant(active_runs=9)]
    assert world.admit().status is RunStatus.PENDING


STALE = [
    ({"ends_at": later(seconds=-1)}, {"ends_at": later(days=1)}),
    ({"longest_timeout_seconds": 60}, {"longest_timeout_seconds": 600}),
    ({"agents": ("claude",)}, {"agents": None}),
    ({"denied_repositories": ("acme/*",)}, {"denied_repositories": ()}),
    ({"largest_memory_mb": 256}, {"largest_memory_mb": 512}),
    ({"dispatches": 0}, {"dispatches": 1}),
    ({"agent_minutes": 9}, {"agent_minutes": 10}),
    ({"monthly_budget_microusd": 1_664}, {"monthly_budget_microusd": 1_665}),
]


@pytest.mark.parametrize(("old", "new"), STALE)
def test_nothing_is_refused_upon_a_stale_copy_of_the_plan(world, old, new):
    world.change_tenant(plan=a_plan(**old))
    stale = change_plan(world, **new)
    assert world.admit(terms=stale, repo="acme/site").status is RunStatus.PENDING


@pytest.mark.parametrize(("new", "old"), STALE)
def test_what_the_plan_no_longer_allows_is_refused_whatever_the_copy_says(world, new, old):
    world.change_tenant(plan=a_plan(**old))
    stale = change_plan(world, **new)
    with pytest.raises((PlanEnded, PolicyDenied, QuotaExceeded)):
        world.admit(terms=stale, repo="acme/site")
    assert world.runs.records == {}


def test_a_raise_of_a_quota_that_is_used_up_applies_at_once(world):
    world.change_tenant(plan=a_plan(dispatches=1))
    world.admit(1)
    stale = change_plan(world, dispatches=2)
    assert world.admit(2, terms=stale).status is RunStatus.PENDING


def test_a_raise_of_the_runs_at_work_applies_at_once(world):
    world.change_tenant(plan=a_plan(concurrent_runs=1))
    world.admit(1)
    stale = change_plan(world, concurrent_runs=2)
    assert world.admit(2, terms=stale).status is RunStatus.PENDING


def test_a_raise_of_the_queue_applies_at_once(world):
    world.change_tenant(plan=a_plan(concurrent_runs=1, queued_runs=0), active_runs=1)
    stale = change_plan(world, queued_runs=1)
    assert world.admit(terms=stale).status is RunStatus.QUEUED


@pytest.mark.parametrize(
    ("plan", "dimension", "limit", "used"),
    [
        ({"dispatches": 1}, "dispatches", 1, 1),
        ({"agent_minutes": 19}, "agentMinutes", 19, 10),
        ({"monthly_budget_microusd": 3_329}, "monthlyBudgetUsd", 0.003329, 0.001665),
    ],
)
def test_a_limit_that_is_used_up_refuses_with_what_is_used(world, plan, dimension, limit, used):
    world.change_tenant(plan=a_plan(**plan))
    world.admit(1)
    with pytest.raises(QuotaExceeded) as exceeded:
        world.admit(2)
    found = exceeded.value.limit
    assert (found.dimension, found.limit, found.used) == (dimension, limit, used)
    assert world.tenant().active_runs == 1


@pytest.mark.parametrize("plan", [{"agent_minutes": 20}, {"monthly_budget_microusd": 3_330}, {"dispatches": 2}])
def test_a_reservation_that_exactly_fits_what_is_left_is_admitted(world, plan):
    world.change_tenant(plan=a_plan(**plan))
    world.admit(1)
    assert world.admit(2).status is RunStatus.PENDING


def test_what_a_limit_could_never_hold_is_refused_with_what_is_used(world):
    world.change_tenant(plan=a_plan(agent_minutes=15))
    world.admit(1)
    with pytest.raises(QuotaExceeded) as exceeded:
        world.admit(2, timeout_seconds=901)
    assert exceeded.value.limit.used == 10


def test_a_keys_own_budget_refuses_where_the_tenants_would_not(world):
    world.put_key(BUDGETED)
    world.admit(1, key=BUDGETED)
    with pytest.raises(BudgetExceeded) as exceeded:
        world.admit(2, key=BUDGETED)
    assert (exceeded.value.limit.dimension, exceeded.value.limit.used) == ("keyMonthlyBudgetUsd", 0.001665)
    assert world.runs.used[JANUARY].dispatches == 1


def test_another_key_of_the_tenant_goes_on_where_ones_budget_is_used_up(world):
    world.admit(1, key=world.put_key(BUDGETED))
    other = world.put_key(replace(BUDGETED, key_hash="another", budget_key_id="another"))
    assert world.admit(2, key=other).status is RunStatus.PENDING
    assert world.runs.used[JANUARY].dispatches == 2


def test_a_key_is_refused_what_it_is_not_for(world):
    with pytest.raises(PolicyDenied, match="this key is for the agents claude"):
        world.admit(key=a_key(restrictions=Restrictions(agents=("claude",))))


def test_a_key_for_repositories_runs_nothing_without_one(world):
    key = world.put_key(a_key(restrictions=Restrictions(repositories=("acme/*",))))
    assert world.admit(1, key=key, repo="acme/site").status is RunStatus.PENDING
    with pytest.raises(PolicyDenied, match="this key is for the repositories acme/"):
        world.admit(2, key=key)


RULES = [
    ({}, Restrictions(), True),
    ({}, Restrictions(agents=("shell",)), True),
    ({"allowed_repositories": ("acme/*",)}, Restrictions(), False),
    ({"denied_repositories": ("acme/secret",)}, Restrictions(), False),
    ({}, Restrictions(repositories=("acme/*",)), False),
]


@pytest.mark.parametrize(("plan", "restrictions", "may_redirect"), RULES)
def test_where_repositories_are_ruled_another_address_may_not_stand_for_one(world, plan, restrictions, may_redirect):
    world.change_tenant(plan=a_plan(**plan))
    run = world.admit(key=world.put_key(a_key(restrictions=restrictions)), repo="acme/site")
    assert run.repo_may_redirect is may_redirect


def test_rules_that_the_copy_of_the_plan_does_not_know_of_hold_too(world):
    stale = change_plan(world, denied_repositories=("acme/secret",))
    assert world.admit(terms=stale, repo="acme/site").repo_may_redirect is False


def test_a_tenant_that_keeps_changing_is_given_up_after_a_bounded_number_of_attempts(world):
    stale = change_plan(world)
    world.runs.after_refusals = [lambda: change_plan(world)] * 100
    with pytest.raises(Unavailable):
        world.admit(terms=stale)
    assert world.runs.tries == ATTEMPTS


def test_a_suspension_is_found_though_the_copy_already_refuses(world):
    world.change_tenant(plan=a_plan(agents=()), status="SUSPENDED")
    with pytest.raises(TenantSuspended):
        world.admit()


def test_a_tenant_that_is_not_there_is_refused(world):
    terms = terms_of(a_tenant())
    world.runs.tenants.clear()
    with pytest.raises(Refusal):
        world.admit(terms=terms)
