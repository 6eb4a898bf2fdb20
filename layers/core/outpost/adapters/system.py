"""Time and fresh names from the machine itself."""

import time
from datetime import UTC, datetime

from ulid import ULID


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class UlidIdentifiers:
    """ULIDs: 48 bits of time in milliseconds, 80 random bits."""

    def new(self, at: datetime) -> str:
        return str(ULID.from_datetime(at))
