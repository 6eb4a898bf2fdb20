import pytest

from outpost.domain.usage import ModelBudget, ModelUsage

EARLIER = ModelUsage(input_tokens=10, output_tokens=5, calls=1, cost_microusd=3)
LATER = ModelUsage(input_tokens=20, output_tokens=9, calls=2, retries=1, cost_microusd=7)


def test_every_kind_of_token_counts():
    assert (
        ModelUsage(input_tokens=1, cached_input_tokens=20, cache_write_tokens=300, output_tokens=4_000).total_tokens
        == 4_321
    )


@pytest.mark.parametrize(("first", "second"), [(EARLIER, LATER), (LATER, EARLIER)])
def test_the_later_of_two_readings_stands_in_whatever_order_they_come(first, second):
    assert second.latest(first) == LATER


def test_the_first_reading_is_the_latest():
    assert EARLIER.latest(None) == EARLIER


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (ModelBudget(), ModelBudget(), ModelBudget()),
        (ModelBudget(5), ModelBudget(7), ModelBudget(5)),
        (ModelBudget(5), ModelBudget(None, 9), ModelBudget(5, 9)),
        (ModelBudget(None, 9), ModelBudget(3, 8), ModelBudget(3, 8)),
    ],
)
def test_two_budgets_allow_what_both_allow(one, other, both):
    assert one.within(other) == other.within(one) == both


@pytest.mark.parametrize(
    ("budget", "is_nearly_used"),
    [
        (ModelBudget(), False),
        (ModelBudget(max_cost_microusd=9), False),
        (ModelBudget(max_cost_microusd=8), True),
        (ModelBudget(max_tokens=37), False),
        (ModelBudget(max_tokens=36), True),
        (ModelBudget(max_cost_microusd=100, max_tokens=30), True),
    ],
)
def test_a_budget_is_nearly_used_at_four_fifths_of_either_limit(budget, is_nearly_used):
    assert budget.is_nearly_used(LATER) is is_nearly_used


@pytest.mark.parametrize(
    ("budget", "text"),
    [
        (ModelBudget(), "no limit"),
        (ModelBudget(2_500_000), "$2.50"),
        (ModelBudget(None, 12_000), "12,000 tokens"),
        (ModelBudget(2_500_000, 12_000), "$2.50 and 12,000 tokens"),
    ],
)
def test_a_budget_is_said_in_dollars_and_tokens(budget, text):
    assert str(budget) == text
