"""Counts what a run uses of its models, and keeps it within its budget."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from outpost_runner.gateway.refusals import BudgetExceeded
from outpost_runner.gateway.usage import PICOUSD_PER_MICROUSD, Price, Usage, whole_microusd
from outpost_runner.gateway.watcher import GatewayWatcher, Reading

NEARLY_PERCENT = 80
WHOLE_PERCENT = 100
MARGIN_PERCENT = 110
# Between two looks at whether somebody still waits for a call that has to wait itself.
LOOK_AROUND_SECONDS = 0.2


@dataclass(frozen=True)
class Spent:
    tokens: int = 0
    cost_picousd: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.tokens + other.tokens, self.cost_picousd + other.cost_picousd)

    @classmethod
    def on(cls, usage: Usage, price: Price) -> "Spent":
        return cls(usage.total_tokens, price.cost_picousd(usage))


@dataclass(frozen=True)
class Budget:
    """What a run may use at most; None is no limit. All tokens count, those out of a cache too."""

    max_cost_microusd: int | None = None
    max_tokens: int | None = None

    def is_reached(self, spent: Spent, percent: int) -> bool:
        return self._compare(spent, percent, lambda used, limit: used >= limit)

    def is_passed(self, spent: Spent, percent: int) -> bool:
        return self._compare(spent, percent, lambda used, limit: used > limit)

    def _compare(self, spent: Spent, percent: int, is_over: Callable[[int, int], bool]) -> bool:
        pairs = []
        if self.max_cost_microusd is not None:
            pairs.append((spent.cost_picousd, self.max_cost_microusd * PICOUSD_PER_MICROUSD))
        if self.max_tokens is not None:
            pairs.append((spent.tokens, self.max_tokens))
        return any(is_over(used * WHOLE_PERCENT, limit * percent) for used, limit in pairs)

    def __str__(self) -> str:
        cost = "" if self.max_cost_microusd is None else f"${self.max_cost_microusd / 1_000_000:.6f}"
        tokens = "" if self.max_tokens is None else f"{self.max_tokens:,} tokens"
        return " and ".join(limit for limit in (cost, tokens) if limit)


@dataclass(eq=False)
class OpenCall:
    """A call that the meter has let through and that has not ended: what it has used, and may come to.

    `spent` holds from the beginning what it uses at least, `usage` only what its answer has shown.
    """

    price: Price
    spent: Spent
    most: Spent
    usage: Usage = field(default_factory=Usage)


@dataclass
class Meter:
    """Safe to use from many threads; the watcher is told outside the lock, in order."""

    budget: Budget
    watcher: GatewayWatcher
    # Set when a call was refused or cut: the run can do nothing more with its models.
    exceeded: threading.Event = field(default_factory=threading.Event)
    _reading: Reading = field(default_factory=Reading)
    _settled: Spent = field(default_factory=Spent)
    _open: list[OpenCall] = field(default_factory=list)
    _nearly_was_told: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _telling: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._ended = threading.Condition(self._lock)

    def reading(self) -> Reading:
        """What the calls that have ended come to, and those under way by now."""
        with self._lock:
            usage = sum((call.usage for call in self._open), self._reading.usage)
            spent = sum((Spent.on(call.usage, call.price) for call in self._open), self._settled)
            return replace(self._reading, usage=usage, cost_microusd=whole_microusd(spent.cost_picousd))

    def begin(self, price: Price, least: Usage, most: Usage, require_wanted: Callable[[], None]) -> OpenCall:
        """Let a call through that uses `least` at least; raises BudgetExceeded when that is not there any more.

        Beside others it is let through as long as all of theirs, at most, leaves room for it; else it waits for one of
        them to end, so that no number of calls at once comes to more than one call too many. `require_wanted` is asked
        meanwhile, and raises when nobody waits for the call any more.
        """
        call = OpenCall(price, Spent.on(least, price), Spent.on(most, price))
        with self._lock:
            self._require_left(call)
            while self._open and self._is_too_much(sum((other.most for other in self._open), self._settled), call):
                self._ended.wait(LOOK_AROUND_SECONDS)
                require_wanted()
                self._require_left(call)
            self._open.append(call)
            self._reading = replace(self._reading, calls=self._reading.calls + 1)
        self._tell()
        return call

    def follow(self, call: OpenCall, usage: Usage) -> None:
        """What an open call has used by now; raises BudgetExceeded past the hard margin."""
        with self._lock:
            call.usage, call.spent = usage, Spent.on(usage, call.price)
            is_nearly_used = self._take_nearly()
            is_past_margin = self.budget.is_passed(self._used(), MARGIN_PERCENT)
        self._tell()
        if is_nearly_used:
            self._tell_nearly()
        if is_past_margin:
            self.exceeded.set()
            raise BudgetExceeded(str(self.budget))

    def end(self, call: OpenCall, usage: Usage, *, is_estimated: bool) -> None:
        """The call's last figures."""
        with self._lock:
            self._open.remove(call)
            self._ended.notify_all()
            self._settled += Spent.on(usage, call.price)
            reading = self._reading
            self._reading = replace(
                reading,
                usage=reading.usage + usage,
                estimated_calls=reading.estimated_calls + is_estimated,
            )
            is_nearly_used = self._take_nearly()
        self._tell()
        if is_nearly_used:
            self._tell_nearly()

    def note_retry(self) -> None:
        """An answer after which a client comes back."""
        with self._lock:
            self._reading = replace(self._reading, retries=self._reading.retries + 1)
        self._tell()

    def _require_left(self, call: OpenCall) -> None:
        if self.budget.is_reached(self._used(), WHOLE_PERCENT) or self._is_too_much(self._used(), call):
            self.exceeded.set()
            raise BudgetExceeded(str(self.budget))

    def _is_too_much(self, used: Spent, call: OpenCall) -> bool:
        return self.budget.is_passed(used + call.spent, WHOLE_PERCENT)

    def _used(self) -> Spent:
        return sum((call.spent for call in self._open), self._settled)

    def _take_nearly(self) -> bool:
        if self._nearly_was_told or not self.budget.is_reached(self._used(), NEARLY_PERCENT):
            return False
        self._nearly_was_told = True
        return True

    def _tell(self) -> None:
        with self._telling:
            self.watcher.usage_changed(self.reading())

    def _tell_nearly(self) -> None:
        with self._telling:
            self.watcher.budget_nearly_used(self.reading())
