from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from outpost.domain.money import ComputePrices, dollars_per_million, microusd, price_compute, usd
from outpost.domain.size import Architecture, Size

EXAMPLES = settings(deadline=None, derandomize=True, database=None)

AMOUNTS = st.integers(min_value=0, max_value=10**12)


@pytest.mark.parametrize(
    ("size", "seconds", "cost_microusd"),
    [
        (Size(1_024, 4_096, 20), 3_600, 32_380 + 4 * 3_560),
        (Size(1_024, 4_096, 120), 3_600, 32_380 + 4 * 3_560 + 100 * 111),
        (Size(256, 512), 3_600, 8_095 + 1_780 + 111),
        (Size(1_024, 4_096, 21, Architecture.X86_64), 3_600, 40_480 + 4 * 4_445 + 111),
        (Size(256, 512), 600, 1_665),
        (Size(256, 512), 1, 3),
        (Size(256, 512), 0, 0),
    ],
)
def test_compute_costs_its_time_and_size(size, seconds, cost_microusd):
    assert price_compute(size, seconds) == cost_microusd


@EXAMPLES
@given(
    cpu_units=st.sampled_from([256, 512, 1_024, 16_384]),
    memory_mb=st.integers(512, 122_880),
    disk_gb=st.integers(21, 200),
    seconds=st.integers(0, 86_400),
)
def test_a_cost_is_rounded_up_by_less_than_a_micro_dollar(cpu_units, memory_mb, disk_gb, seconds):
    prices = ComputePrices(cpu_hour_microusd=40_480, gibibyte_hour_microusd=4_445, disk_hour_microusd=111)
    per_hour = Fraction(cpu_units, 1_024) * 40_480 + Fraction(memory_mb, 1_024) * 4_445 + (disk_gb - 20) * 111
    cost = prices.cost_microusd(Size(cpu_units, memory_mb, disk_gb), seconds)
    assert 0 <= cost - Fraction(seconds, 3_600) * per_hour < 1


def test_writing_to_a_cache_costs_what_input_costs_where_nothing_else_is_said():
    price = dollars_per_million(1.75, cached=0.175, output=14)
    assert (price.input_microusd, price.cache_write_microusd) == (1_750_000, 1_750_000)
    assert (price.cached_input_microusd, price.output_microusd) == (175_000, 14_000_000)


@EXAMPLES
@given(AMOUNTS)
def test_an_amount_in_dollars_is_the_same_amount_in_micro_dollars(amount):
    assert microusd(usd(amount)) == amount


def test_what_floating_point_cannot_hold_is_the_nearest_micro_dollar():
    assert microusd(0.1 + 0.2) == 300_000
