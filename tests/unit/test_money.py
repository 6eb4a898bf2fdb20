from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from outpost.domain.money import PRICES, ComputePrices, microusd, usd

EXAMPLES = settings(deadline=None, derandomize=True, database=None)

AMOUNTS = st.integers(min_value=0, max_value=10**12)


@pytest.mark.parametrize(
    ("cpu_units", "memory_mb", "seconds", "cost_microusd"),
    [
        (1_024, 4_096, 3_600, 32_380 + 4 * 3_560),
        (256, 512, 3_600, 8_095 + 1_780),
        (256, 512, 600, 1_646),
        (256, 512, 1, 3),
        (256, 512, 0, 0),
    ],
)
def test_compute_costs_its_time_and_size(cpu_units, memory_mb, seconds, cost_microusd):
    assert PRICES.cost_microusd(cpu_units, memory_mb, seconds) == cost_microusd


@EXAMPLES
@given(
    cpu_units=st.sampled_from([256, 512, 1_024, 16_384]),
    memory_mb=st.integers(512, 122_880),
    seconds=st.integers(0, 86_400),
)
def test_a_cost_is_rounded_up_by_less_than_a_micro_dollar(cpu_units, memory_mb, seconds):
    prices = ComputePrices("test", cpu_hour_microusd=40_480, gibibyte_hour_microusd=4_445)
    exact = Fraction(seconds, 3_600) * (Fraction(cpu_units, 1_024) * 40_480 + Fraction(memory_mb, 1_024) * 4_445)
    assert 0 <= prices.cost_microusd(cpu_units, memory_mb, seconds) - exact < 1


@EXAMPLES
@given(AMOUNTS)
def test_an_amount_in_dollars_is_the_same_amount_in_micro_dollars(amount):
    assert microusd(usd(amount)) == amount


def test_what_floating_point_cannot_hold_is_the_nearest_micro_dollar():
    assert microusd(0.1 + 0.2) == 300_000
