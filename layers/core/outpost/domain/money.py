"""Prices of compute, and amounts of money in whole micro-dollars."""

from dataclasses import dataclass

MICROUSD = 1_000_000
_SECONDS_PER_HOUR = 3_600
_UNITS_PER_CPU = 1_024
_MEBIBYTES_PER_GIBIBYTE = 1_024


@dataclass(frozen=True)
class ComputePrices:
    """What an hour of a virtual CPU and of a gibibyte of memory cost; `version` names the list that they come from."""

    version: str
    cpu_hour_microusd: int
    gibibyte_hour_microusd: int

    def cost_microusd(self, cpu_units: int, memory_mb: int, seconds: int) -> int:
        """The price of compute of that size for so long, rounded up to a micro-dollar."""
        per_hour = (
            cpu_units * self.cpu_hour_microusd * _MEBIBYTES_PER_GIBIBYTE
            + memory_mb * self.gibibyte_hour_microusd * _UNITS_PER_CPU
        )
        return -(-per_hour * seconds // (_UNITS_PER_CPU * _MEBIBYTES_PER_GIBIBYTE * _SECONDS_PER_HOUR))


# AWS Fargate pricing, Linux on ARM, US East (N. Virginia); other regions differ by some percent.
PRICES = ComputePrices("fargate-arm64-us-east-1-2025", cpu_hour_microusd=32_380, gibibyte_hour_microusd=3_560)


def microusd(usd: float) -> int:
    """Dollars as whole micro-dollars."""
    return round(usd * MICROUSD)


def usd(amount_microusd: int) -> float:
    """Micro-dollars as dollars."""
    return amount_microusd / MICROUSD
