"""Keys that this process knows for the rest of a minute, each with requests that it took in advance."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from outpost.domain.api_key import ApiKey
from outpost.ports import KeyUse, RateAllowance, Terms

WINDOW_SECONDS = 60
# A process takes two requests at first, and twice as many each time, up to a twentieth of the rate: what many processes
# hold and do not use stays little, and a busy one writes seldom.
FIRST_SIZE = 2
PARTS = 20
MOST_KEYS = 1_000


@dataclass(frozen=True)
class Lease:
    """Requests taken in advance: how many, and in which minute since 1970; `attribute` counts them."""

    key_hash: str
    window: int
    size: int
    left_over: tuple[str, ...] = ()

    @property
    def attribute(self) -> str:
        """The attribute that counts the minute's requests."""
        return f"taken_{self.window}"


@dataclass(frozen=True)
class _Known:
    lease: Lease
    key: ApiKey
    terms: Terms
    taken: int
    left: int


class RememberedKeys:
    """At most a thousand keys; the one that was taken longest ago goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: dict[str, _Known] = {}

    def use(self, key_hash: str, now: datetime) -> KeyUse | None:
        """One use of a key out of what was taken for it; None where some has to be taken first."""
        known = self._known.get(key_hash)
        if known is None or known.lease.window != _window(now):
            return None
        if known.left == 0:
            return None if known.taken < self._limit else self._answer(known, is_fresh=False, is_exceeded=True)
        known = self._known[key_hash] = replace(known, left=known.left - 1)
        return self._answer(known, is_fresh=False)

    def next_lease(self, key_hash: str, now: datetime) -> Lease:
        """What to take for a key. A counter is removed when no clock can be at its minute any more."""
        known, window, most = self._known.get(key_hash), _window(now), max(1, self._limit // PARTS)
        if known is None:
            return Lease(key_hash, window, min(FIRST_SIZE, most))
        is_same = known.lease.window == window
        size = min(2 * known.lease.size if is_same else FIRST_SIZE, most)
        left_over = () if is_same or known.lease.window >= window - 1 else (known.lease.attribute,)
        return Lease(key_hash, window, size, left_over)

    def take(self, lease: Lease, key: ApiKey, terms: Terms, taken: int) -> KeyUse:
        """Remember what was taken, of which there is less where others had taken most; and use one of it."""
        granted = min(lease.size, max(0, self._limit - (taken - lease.size)))
        known = _Known(replace(lease, left_over=()), key, terms, taken, max(0, granted - 1))
        self._known.pop(lease.key_hash, None)
        self._known[lease.key_hash] = known
        if len(self._known) > MOST_KEYS:
            del self._known[next(iter(self._known))]
        return self._answer(known, is_fresh=True, is_exceeded=granted == 0)

    def forget(self, key_hash: str) -> None:
        """Remember a key no longer."""
        self._known.pop(key_hash, None)

    def _answer(self, known: _Known, *, is_fresh: bool, is_exceeded: bool = False) -> KeyUse:
        remaining = max(0, self._limit - known.taken) + known.left
        resets_at = datetime.fromtimestamp((known.lease.window + 1) * WINDOW_SECONDS, UTC)
        rate = RateAllowance(self._limit, remaining, resets_at, is_exceeded)
        return KeyUse(known.key, known.terms, rate, is_fresh)


def _window(now: datetime) -> int:
    return int(now.timestamp()) // WINDOW_SECONDS
