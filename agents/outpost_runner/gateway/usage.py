"""Tokens of model calls, and what they cost."""

from dataclasses import dataclass

PICOUSD_PER_MICROUSD = 1_000_000


@dataclass(frozen=True)
class Usage:
    """Tokens, each counted once: what came out of a cache or went into one is not in `input_tokens`."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_input_tokens + other.cached_input_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.output_tokens + other.output_tokens,
        )

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.cached_input_tokens + self.cache_write_tokens + self.output_tokens


@dataclass(frozen=True)
class Price:
    """What a million tokens of a model cost, in micro-dollars."""

    input_microusd: int
    cached_input_microusd: int
    cache_write_microusd: int
    output_microusd: int

    def cost_picousd(self, usage: Usage) -> int:
        """The exact cost: a micro-dollar a million tokens is a pico-dollar a token."""
        return (
            usage.input_tokens * self.input_microusd
            + usage.cached_input_tokens * self.cached_input_microusd
            + usage.cache_write_tokens * self.cache_write_microusd
            + usage.output_tokens * self.output_microusd
        )


def whole_microusd(picousd: int) -> int:
    """Rounded up, once for a whole sum, so that no call's remainder is lost or counted twice."""
    return -(-picousd // PICOUSD_PER_MICROUSD)
