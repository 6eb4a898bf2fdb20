"""The moments by which a promotion's work must be done, and its end told."""

import time
from dataclasses import dataclass

from outpost_runner.patience import Patience
from outpost_runner.process import Watch
from outpost_runner.stop import Stop

REPORT_SHARE = 0.1
LONGEST_REPORT_SECONDS = 20.0
# A container gets thirty seconds from SIGTERM to SIGKILL.
STOP_GRACE_SECONDS = 20.0
# What a request under way has done is worth a wait even after a stop.
ANSWER_SECONDS = 3.0


@dataclass(frozen=True)
class PromotionClock:
    """Monotonic.

    claim ──────────── work_by ── report_by        (nobody stops the task)
    claim ── stop = work_by ── report_by           (it is stopped: it is killed after its grace)
    """

    stop: Stop
    claimed_at: float
    deadline_seconds: int

    def work_by(self) -> float:
        if self.stop.requested_at is not None:
            return self.stop.requested_at
        margin = min(LONGEST_REPORT_SECONDS, self.deadline_seconds * REPORT_SHARE)
        return self.claimed_at + self.deadline_seconds - margin

    def is_over(self) -> bool:
        return time.monotonic() >= self.work_by()

    def report_by(self) -> float:
        if self.stop.requested_at is not None:
            return self.stop.requested_at + STOP_GRACE_SECONDS
        return self.claimed_at + self.deadline_seconds

    def watch(self) -> Watch:
        return Watch(self.work_by, self.stop.is_requested)

    def work_patience(self) -> Patience:
        return Patience(self.work_by, ANSWER_SECONDS)

    def report_patience(self) -> Patience:
        return Patience(self.report_by)
