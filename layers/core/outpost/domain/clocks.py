"""The clocks of a run, each with a code of its own; time spent queued or starting is not the run's.

queue      from the acceptance to the slot          QUEUE_TIMEOUT    queue_timeout_seconds
start      from the slot to the claim               START_TIMEOUT    START_ALLOWANCE_SECONDS, for each attempt
run        from the claim to the agent's end        RUN_TIMEOUT      timeout_seconds; the runner keeps it to the second
heartbeat  from one sign of the runner to the next  HEARTBEAT_LOST   HEARTBEAT_LOST_SECONDS
"""

from datetime import datetime, timedelta

from outpost.domain.run import HEARTBEAT_LOST_SECONDS, START_ALLOWANCE_SECONDS, STOP_GRACE_SECONDS, Run, RunStatus
from outpost.domain.run_error import RunError, RunErrorCode


def clock_that_ran_out(run: Run, now: datetime) -> RunErrorCode | None:
    """The code of the clock that has run out, if one has; the run's own is given the grace that its runner has."""
    match run.status:
        case RunStatus.QUEUED if _has_passed(run.status_since, run.queue_timeout_seconds, now):
            return RunErrorCode.QUEUE_TIMEOUT
        case RunStatus.PENDING if _has_passed(run.status_since, START_ALLOWANCE_SECONDS, now):
            return RunErrorCode.START_TIMEOUT
        case RunStatus.RUNNING if run.deadline and _has_passed(run.deadline, STOP_GRACE_SECONDS, now):
            return RunErrorCode.RUN_TIMEOUT
        case RunStatus.RUNNING if run.heartbeat_at and _has_passed(run.heartbeat_at, HEARTBEAT_LOST_SECONDS, now):
            return RunErrorCode.HEARTBEAT_LOST
        case _:
            return None


def give_up_waiting(run: Run, at: datetime) -> Run:
    """A run that waited too long for its slot, at its end: it never had compute."""
    if not run.is_queued:
        return run
    message = f"The run waited {run.queue_timeout_seconds} seconds for a slot."
    return run.ended(RunStatus.TIMEOUT, RunError.of(RunErrorCode.QUEUE_TIMEOUT, message), at)


def lose_place(run: Run, at: datetime) -> Run:
    """A waiting run whose execution ended, at its end: nothing would launch it any more."""
    if not run.is_queued:
        return run
    message = "Its execution was ended while the run waited for a slot."
    return run.ended(RunStatus.FAILED, RunError.of(RunErrorCode.AGENT_START_FAILED, message), at)


def _has_passed(since: datetime, seconds: int, now: datetime) -> bool:
    return now - since > timedelta(seconds=seconds)
