"""What all tenants share: the compute of the deployment, its kill switch, and a circuit breaker for each agent.

    five failures in a row        60 s          one run is let through
closed ───────────────► open ───────────► half-open ──────► open for another 60 s
   ▲                                          │ any run of the agent that worked
   └──────────────────────────────────────────┘
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from outpost.domain.kill_switch import KillSwitch
from outpost.domain.run import Run, RunStatus
from outpost.domain.run_error import RunErrorCode

FAILURES_TO_OPEN = 5
OPEN_FOR = timedelta(seconds=60)
_PROVIDER_FAILURES = frozenset({RunErrorCode.PROVIDER_UNAVAILABLE, RunErrorCode.PROVIDER_AUTH_FAILED})
# The agent was never begun: nothing is known of its provider.
_BEFORE_THE_AGENT = frozenset({RunErrorCode.CLONE_FAILED, RunErrorCode.BRANCH_NOT_FOUND, RunErrorCode.SECRET_NOT_FOUND})
_NOT_THE_TASKS_FAULT = _PROVIDER_FAILURES | {RunErrorCode.AGENT_START_FAILED, RunErrorCode.START_TIMEOUT}


class BreakerState(StrEnum):
    """Whether an agent is launched."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True)
class Breaker:
    """The breaker of one agent. `blocked_since` is the last failure, or when the last run was let through to try."""

    failures: int = 0
    blocked_since: datetime | None = None

    def state(self, now: datetime) -> BreakerState:
        """The state at this time."""
        if self.failures < FAILURES_TO_OPEN or self.blocked_since is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.blocked_since + OPEN_FOR else BreakerState.HALF_OPEN

    def retry_after_seconds(self, now: datetime) -> int | None:
        """The seconds until a run is let through; None unless it is open."""
        if self.blocked_since is None or self.state(now) is not BreakerState.OPEN:
            return None
        return max(1, -int((now - self.blocked_since - OPEN_FOR).total_seconds() // 1))


class BreakerNews(StrEnum):
    """What a run's change says of its agent."""

    FAILED = "failed"
    WORKED = "worked"


@dataclass(frozen=True)
class Deployment:
    """The counters and switches that all tenants share; `most_runs` may be at work at the same time."""

    most_runs: int = 0
    active_runs: int = 0
    slot_changes: int = 0
    kill_switch: KillSwitch | None = None
    breakers: dict[str, Breaker] = field(default_factory=dict)

    @property
    def has_room(self) -> bool:
        """Whether another run may be at work."""
        return self.active_runs < self.most_runs

    def breaker(self, agent: str) -> Breaker:
        """The agent's breaker."""
        return self.breakers.get(agent, Breaker())


def breaker_news(before: Run, after: Run) -> BreakerNews | None:
    """What the change of a run says of its agent's launches and provider.

    Nothing where the task itself is to blame, or the tenant's own key: no tenant closes an agent to the others.
    """
    if len(after.lost_attempts) > len(before.lost_attempts):
        return BreakerNews.FAILED if after.lost_attempts[-1].error.code in _NOT_THE_TASKS_FAULT else None
    if before.status.is_terminal or not after.status.is_terminal:
        return None
    if before.is_queued:
        return None
    code = after.error.code if after.error else None
    if code in _BEFORE_THE_AGENT or (after.has_own_provider_key and code in _PROVIDER_FAILURES):
        return None
    if code in _NOT_THE_TASKS_FAULT:
        return BreakerNews.FAILED
    is_cancelled = after.status is RunStatus.CANCELLED
    return None if after.started_at is None or is_cancelled else BreakerNews.WORKED
