"""Prices, and amounts of money in whole micro-dollars.

Sources: the providers' published price lists and "AWS Fargate Pricing" (Linux, US East (N. Virginia)), read at the date
that the version names. Other regions differ by some percent; a price that changed is a new version.
"""

from dataclasses import dataclass

from outpost.domain.size import Architecture, Size

PRICE_VERSION = "2026-11-20"
MICROUSD = 1_000_000
SMALLEST_BILLED_SECONDS = 60
_INCLUDED_DISK_GB = 20
_SECONDS_PER_HOUR = 3_600
_UNITS_PER_CPU = 1_024
_MEBIBYTES_PER_GIBIBYTE = 1_024


@dataclass(frozen=True)
class ModelPrice:
    """What a million tokens cost, in micro-dollars."""

    input_microusd: int
    cached_input_microusd: int
    cache_write_microusd: int
    output_microusd: int


@dataclass(frozen=True)
class ComputePrices:
    """What an hour costs of a virtual CPU, of a gibibyte of memory, and of one of disk beyond the 20 that are free."""

    cpu_hour_microusd: int
    gibibyte_hour_microusd: int
    disk_hour_microusd: int

    def cost_microusd(self, size: Size, seconds: int) -> int:
        """The price of compute of that size for so long, rounded up to a micro-dollar."""
        per_hour = (
            size.cpu_units * self.cpu_hour_microusd * _MEBIBYTES_PER_GIBIBYTE
            + size.memory_mb * self.gibibyte_hour_microusd * _UNITS_PER_CPU
            + (size.disk_gb - _INCLUDED_DISK_GB) * self.disk_hour_microusd * _UNITS_PER_CPU * _MEBIBYTES_PER_GIBIBYTE
        )
        return -(-per_hour * seconds // (_UNITS_PER_CPU * _MEBIBYTES_PER_GIBIBYTE * _SECONDS_PER_HOUR))


_COMPUTE_PRICES = {
    Architecture.ARM64: ComputePrices(cpu_hour_microusd=32_380, gibibyte_hour_microusd=3_560, disk_hour_microusd=111),
    Architecture.X86_64: ComputePrices(cpu_hour_microusd=40_480, gibibyte_hour_microusd=4_445, disk_hour_microusd=111),
}


def price_compute(size: Size, seconds: int) -> int:
    """The price of compute of that size for so long, in micro-dollars."""
    return _COMPUTE_PRICES[size.architecture].cost_microusd(size, seconds)


def dollars_per_million(price: float, *, cached: float, output: float, cache_write: float | None = None) -> ModelPrice:
    """A model's price as providers publish it; writing to a cache costs what input costs where nothing else is said."""
    return ModelPrice(*map(microusd, (price, cached, price if cache_write is None else cache_write, output)))


def microusd(usd: float) -> int:
    """Dollars as whole micro-dollars."""
    return round(usd * MICROUSD)


def usd(amount_microusd: int) -> float:
    """Micro-dollars as dollars."""
    return amount_microusd / MICROUSD
