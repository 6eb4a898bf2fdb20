"""Waits between attempts, with full jitter, so that many runners that fail together do not come back together."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    first_seconds: float = 0.3
    highest_seconds: float = 5.0

    def delay(self, attempt: int) -> float:
        """Seconds to wait after failed attempt number `attempt`, counted from 0."""
        return random.uniform(0, min(self.highest_seconds, self.first_seconds * 2.0 ** min(attempt, 16)))  # noqa: S311  # not a secret
