"""The request to stop, and the moments by which a run's work and its results must be done."""

import time
from dataclasses import dataclass

TERMINATE_GRACE_SECONDS = 5.0
# A run may outlive its deadline by one second at most.
DEADLINE_GRACE_SECONDS = 0.5
REPORT_SECONDS = 3.0
COLLECT_SHARE = 0.6


class Stop:
    """Asked for by a signal or by the broker.

    It takes no lock: a signal handler may interrupt the main thread anywhere, also while that holds one.
    """

    def __init__(self) -> None:
        self.requested_at: float | None = None

    def request(self) -> None:
        """Ask for the stop; the first request counts."""
        if self.requested_at is None:
            self.requested_at = time.monotonic()

    def is_requested(self) -> bool:
        return self.requested_at is not None


@dataclass(frozen=True)
class RunClock:
    """The run's clock, monotonic.

    claim ──────────── run_deadline ────── finish_by          (nobody stops the run)
    claim ──── stop ────── finish_by                          (it is stopped: the task is killed after its grace)
    """

    stop: Stop
    claimed_at: float
    timeout_seconds: int
    stop_grace_seconds: int

    def run_deadline(self) -> float:
        return self.claimed_at + self.timeout_seconds

    def run_by(self) -> float:
        """The moment by which the run's own time is over: its deadline, or the stop that came before."""
        return self.run_deadline() if self.stop.requested_at is None else self.stop.requested_at

    def finish_by(self) -> float:
        """The moment by which everything is delivered; a stop moves it closer."""
        margin = min(2.0, self.stop_grace_seconds * 0.1)
        return self.run_by() + self.stop_grace_seconds - margin

    def collect_by(self, since: float) -> float:
        """The moment by which a collection that began at `since` must end, so that there is time left to upload."""
        return since + max(0.0, self.upload_by() - since) * COLLECT_SHARE

    def upload_by(self) -> float:
        """The moment by which uploads must end, so that there is time left to tell the end."""
        return self.finish_by() - min(REPORT_SECONDS, self.stop_grace_seconds * 0.1)

    def terminate_grace(self) -> float:
        """Seconds between SIGTERM and SIGKILL for the agent: few at its deadline, which is not the agent's to move."""
        longest = TERMINATE_GRACE_SECONDS if self.stop.is_requested() else DEADLINE_GRACE_SECONDS
        return min(longest, self.stop_grace_seconds * 0.25)
