from datetime import UTC, datetime

import pytest
from builders import NOON, a_key, a_plan, a_run, a_tenant

from outpost.domain.admission import (
    Allowance,
    Form,
    Usage,
    allowance_of,
    allowances,
    form_for,
    require_queue,
    reserve,
)
from outpost.domain.api_key import Restrictions
from outpost.domain.errors import BudgetExceeded, Limit, QueueFull, QuotaExceeded
from outpost.domain.money import price_compute
from outpost.domain.plan import PlanKind, month_of
from outpost.domain.size import Size
from outpost.domain.usage import ModelBudget, Reservation

ASKED = Reservation("2030-01", seconds=600, cost_microusd=1_665)
JANUARY = month_of(NOON)
FEBRUARY_FIRST = datetime(2030, 2, 1, tzinfo=UTC)
BUDGETED = a_key(restrictions=Restrictions(monthly_budget_microusd=5_000_000), budget_key_id="the first of its line")


def an_allowance(**limits):
    return Allowance(JANUARY, **limits)


@pytest.mark.parametrize(
    ("limits", "used"),
    [
        ({}, Usage(10**9, 10**9, 10**12)),
        ({"dispatches": 5}, Usage(dispatches=4)),
        ({"agent_seconds": 6_000}, Usage(agent_seconds=5_400)),
        ({"agent_seconds": 600}, Usage()),
        ({"cost_microusd": 10_000}, Usage(cost_microusd=8_335)),
        ({"cost_microusd": 1_665}, Usage()),
    ],
)
def test_what_exactly_fits_is_admitted(limits, used):
    assert an_allowance(**limits).refusal(used, ASKED) is None


@pytest.mark.parametrize(
    ("limits", "used", "limit"),
    [
        ({"dispatches": 5}, Usage(dispatches=5), Limit("dispatches", 5, 5, FEBRUARY_FIRST)),
        ({"dispatches": 0}, Usage(), Limit("dispatches", 0, 0, FEBRUARY_FIRST)),
        ({"agent_seconds": 6_000}, Usage(agent_seconds=5_401), Limit("agentMinutes", 100, 90.02, FEBRUARY_FIRST)),
        ({"agent_seconds": 599}, Usage(), Limit("agentMinutes", 9.98, 0, FEBRUARY_FIRST)),
        (
            {"cost_microusd": 2_000_000},
            Usage(cost_microusd=1_998_355),
            Limit("monthlyBudgetUsd", 2, 1.998355, FEBRUARY_FIRST),
        ),
        (
            {"cost_microusd": 1_664, "key_id": "key"},
            Usage(),
            Limit("keyMonthlyBudgetUsd", 0.001664, 0, FEBRUARY_FIRST),
        ),
    ],
)
def test_one_more_than_fits_is_refused_with_the_limit(limits, used, limit):
    assert an_allowance(**limits).refusal(used, ASKED).limit == limit


def test_what_does_not_fit_a_count_is_a_quota_and_what_does_not_fit_money_a_budget():
    assert type(an_allowance(dispatches=0).refusal(Usage(), ASKED)) is QuotaExceeded
    assert type(an_allowance(cost_microusd=0).refusal(Usage(), ASKED)) is BudgetExceeded


def test_a_trials_limit_never_begins_anew():
    allowance = allowance_of(a_plan(kind=PlanKind.TRIAL, dispatches=1), NOON)
    assert allowance.refusal(Usage(dispatches=1), ASKED).limit.resets_at is None


def test_a_run_reserves_all_of_its_time_and_the_price_of_its_compute_for_it():
    run = a_run(timeout_seconds=3_600, size=Size(2_048, 8_192))
    cost = price_compute(run.size, 3_600)
    assert reserve(run, a_plan(), a_key(), NOON) == Reservation("2030-01", 3_600, cost)


def test_a_run_reserves_its_whole_model_budget_too():
    run = a_run(budget=ModelBudget(max_cost_microusd=5_000_000))
    assert reserve(run, a_plan(), a_key(), NOON).cost_microusd == 1_665 + 5_000_000


def test_a_trials_run_counts_in_the_trial_and_for_its_keys_budget_in_the_month():
    reserved = reserve(a_run(), a_plan(kind=PlanKind.TRIAL), BUDGETED, NOON)
    assert (reserved.period, reserved.key_period) == ("trial-20300101T120000", "2030-01")
    assert reserved.budget_key_id == "the first of its line"


def test_a_key_restricted_otherwise_has_no_counter_of_its_own():
    key = a_key(restrictions=Restrictions(agents=("shell",)))
    assert reserve(a_run(), a_plan(), key, NOON).budget_key_id is None
    assert len(allowances(a_plan(), key, NOON)) == 1


def test_a_key_with_a_budget_counts_beside_its_tenant():
    plan = a_plan(kind=PlanKind.TRIAL, dispatches=3, agent_minutes=10, monthly_budget_microusd=7_000_000)
    assert allowances(plan, BUDGETED, NOON) == (
        Allowance(plan.period(NOON), dispatches=3, agent_seconds=600, cost_microusd=7_000_000),
        Allowance(JANUARY, key_id="the first of its line", cost_microusd=5_000_000),
    )


def test_a_limit_of_no_minutes_is_no_absence_of_a_limit():
    assert allowance_of(a_plan(agent_minutes=0), NOON).agent_seconds == 0


@pytest.mark.parametrize(
    ("counters", "form"),
    [
        ({}, Form.LAUNCH),
        ({"active_runs": 9}, Form.LAUNCH),
        ({"active_runs": 10}, Form.BEHIND_OWN),
        ({"active_runs": 11}, Form.BEHIND_OWN),
        ({"active_runs": 9, "queued_runs": 1}, Form.BEHIND_OWN),
        ({"active_runs": 10, "queued_runs": 99}, Form.BEHIND_OWN),
    ],
)
def test_a_run_begins_where_there_is_room_and_nobody_of_its_tenant_waits(counters, form):
    assert form_for(a_tenant(**counters)) is form


@pytest.mark.parametrize("counters", [{"active_runs": 10, "queued_runs": 100}, {"queued_runs": 101}])
def test_a_full_queue_takes_no_more(counters):
    with pytest.raises(QueueFull) as full:
        form_for(a_tenant(**counters))
    assert full.value.limit == Limit("queuedRuns", 100, counters["queued_runs"])


def test_a_plan_without_a_queue_still_lets_runs_begin():
    tenant = a_tenant(plan=a_plan(queued_runs=0))
    assert form_for(tenant) is Form.LAUNCH
    with pytest.raises(QueueFull):
        require_queue(tenant, Form.BEHIND_OTHERS)
