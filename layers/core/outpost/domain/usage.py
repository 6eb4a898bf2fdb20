"""What a run uses of models, and what it may use at most."""

from dataclasses import dataclass
from typing import Self

from outpost.domain.money import usd

NEARLY = 0.8


@dataclass(frozen=True)
class ModelUsage:
    """What the model gateway has counted. Each token counts once: `input_tokens` leaves out what a cache is used for.

    `calls` reached the provider; `retries` of them were answered with 429 or 5xx; of `estimated_calls` the provider did
    not say the usage to the end. The cost is in micro-dollars.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    calls: int = 0
    retries: int = 0
    estimated_calls: int = 0
    cost_microusd: int = 0

    @property
    def total_tokens(self) -> int:
        """Every token that was counted."""
        return self.input_tokens + self.cached_input_tokens + self.cache_write_tokens + self.output_tokens

    def __add__(self, other: "ModelUsage") -> "ModelUsage":
        return ModelUsage(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def latest(self, other: "ModelUsage | None") -> "ModelUsage":
        """The later of two readings of one meter, in whatever order they come: a meter only goes up."""
        return self if other is None or self._order() >= other._order() else other

    def _order(self) -> tuple[int, int, int]:
        return self.calls, self.total_tokens, self.cost_microusd


@dataclass(frozen=True)
class ModelBudget:
    """The most that a run may use of models; None is no limit."""

    max_cost_microusd: int | None = None
    max_tokens: int | None = None

    def within(self, other: Self) -> "ModelBudget":
        """What both allow."""
        return ModelBudget(
            _smaller(self.max_cost_microusd, other.max_cost_microusd), _smaller(self.max_tokens, other.max_tokens)
        )

    def without(self, usage: ModelUsage) -> "ModelBudget":
        """What is left of it; never less than nothing."""
        return ModelBudget(
            _left(self.max_cost_microusd, usage.cost_microusd), _left(self.max_tokens, usage.total_tokens)
        )

    def is_nearly_used(self, usage: ModelUsage) -> bool:
        """Whether four fifths of it are used."""
        pairs = ((usage.cost_microusd, self.max_cost_microusd), (usage.total_tokens, self.max_tokens))
        return any(limit is not None and used >= NEARLY * limit for used, limit in pairs)

    def __str__(self) -> str:
        cost = "" if self.max_cost_microusd is None else f"${usd(self.max_cost_microusd):.2f}"
        tokens = "" if self.max_tokens is None else f"{self.max_tokens:,} tokens"
        return " and ".join(part for part in (cost, tokens) if part) or "no limit"


@dataclass(frozen=True)
class Reservation:
    """What a run may use at most, counted against its period until it ends: agent time, and money for all it costs.

    `budget_key_id` names the key against whose own budget, in the month `key_period`, it also counts.
    """

    period: str
    seconds: int
    cost_microusd: int
    budget_key_id: str | None = None
    key_period: str = ""


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def _smaller(one: int | None, other: int | None) -> int | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)
