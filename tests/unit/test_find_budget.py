"""What one run may use of models: asked for, allowed by the plan and the key, and bounded by the month."""

import pytest
from builders import a_key, a_plan, a_run

from outpost.domain.admission import RUN_BUDGET_MICROUSD, find_budget
from outpost.domain.agents import AGENTS
from outpost.domain.api_key import Restrictions
from outpost.domain.errors import PolicyDenied
from outpost.domain.money import price_compute
from outpost.domain.size import Size
from outpost.domain.usage import ModelBudget

DOLLAR = 1_000_000
SIZE = Size(1_024, 4_096)


NO_LIMIT = ModelBudget()


def budget_of(*, asked=NO_LIMIT, plan=None, key=None, agent="claude"):
    run = a_run(agent=agent, size=SIZE, budget=asked)
    return find_budget(run, AGENTS[agent], a_plan(**(plan or {})), a_key(restrictions=Restrictions(**(key or {}))))


@pytest.mark.parametrize(
    ("plan", "key", "asked", "budget"),
    [
        ({}, {}, ModelBudget(), ModelBudget()),
        ({}, {}, ModelBudget(3 * DOLLAR, 50), ModelBudget(3 * DOLLAR, 50)),
        ({"run_budget_microusd": 4 * DOLLAR}, {}, ModelBudget(), ModelBudget(4 * DOLLAR)),
        ({"run_budget_microusd": 4 * DOLLAR}, {}, ModelBudget(4 * DOLLAR), ModelBudget(4 * DOLLAR)),
        ({"run_budget_microusd": 4 * DOLLAR}, {"run_budget_microusd": DOLLAR}, ModelBudget(), ModelBudget(DOLLAR)),
        ({"run_tokens": 900}, {"run_tokens": 1_000}, ModelBudget(), ModelBudget(None, 900)),
        ({"run_tokens": 900}, {}, ModelBudget(DOLLAR), ModelBudget(DOLLAR, 900)),
    ],
)
def test_a_run_has_the_least_of_what_it_asks_for_and_is_allowed(plan, key, asked, budget):
    assert budget_of(asked=asked, plan=plan, key=key) == budget


@pytest.mark.parametrize(
    ("limits", "asked", "field", "message"),
    [
        ({"run_budget_microusd": DOLLAR}, ModelBudget(DOLLAR + 1), "budget.maxCostUsd", r"at most \$1.00"),
        ({"run_tokens": 900}, ModelBudget(None, 901), "budget.maxTokens", "at most 900 tokens"),
    ],
)
@pytest.mark.parametrize("whose", ["plan", "key"])
def test_asking_for_more_than_is_allowed_is_refused(whose, limits, asked, field, message):
    with pytest.raises(PolicyDenied, match=message) as denied:
        budget_of(asked=asked, **{whose: limits})
    assert denied.value.field == field


@pytest.mark.parametrize("whose", ["plan", "key"])
def test_where_a_monthly_budget_holds_every_run_has_a_bound(whose):
    assert budget_of(**{whose: {"monthly_budget_microusd": 500 * DOLLAR}}) == ModelBudget(RUN_BUDGET_MICROUSD)


def test_a_bound_that_nobody_asked_for_leaves_room_for_the_compute_in_the_month():
    compute = price_compute(SIZE, a_run().timeout_seconds)
    assert budget_of(plan={"monthly_budget_microusd": DOLLAR}) == ModelBudget(DOLLAR - compute)


def test_an_amount_that_was_asked_for_stays_though_the_month_may_refuse_it():
    asked = ModelBudget(3 * DOLLAR)
    assert budget_of(asked=asked, plan={"monthly_budget_microusd": DOLLAR}) == asked


def test_a_month_that_has_less_than_the_compute_leaves_nothing_for_models():
    assert budget_of(plan={"monthly_budget_microusd": 1}) == ModelBudget(0)


def test_an_agent_without_models_has_no_budget_to_reserve():
    plan = {"monthly_budget_microusd": DOLLAR, "run_budget_microusd": DOLLAR}
    assert budget_of(agent="shell", plan=plan) == ModelBudget()
