"""Why a run is where it is: what it waits for or why it ended, what led there, and what its owner can do."""

from dataclasses import dataclass
from datetime import datetime

from outpost.domain.deployment import BreakerState, Deployment
from outpost.domain.run import HEARTBEAT_LOST_SECONDS, MOST_ATTEMPTS, START_ALLOWANCE_SECONDS, Run, RunStatus
from outpost.domain.tenant import Tenant


@dataclass(frozen=True)
class Cause:
    """One step of what led here."""

    at: datetime
    message: str


@dataclass(frozen=True)
class Explanation:
    """A sentence, the chain of causes (oldest first), and a remedy where there is something to do."""

    summary: str
    waits_for: str | None
    causes: tuple[Cause, ...]
    remedy: str | None
    retryable: bool


@dataclass(frozen=True)
class Surroundings:
    """What a living run depends on beside itself: its tenant, the deployment, and its place in the queue."""

    tenant: Tenant
    deployment: Deployment
    queue_position: int | None


def explain(run: Run, now: datetime, surroundings: Surroundings | None = None) -> Explanation:
    """The explanation of the run at this time."""
    hindrance = None if surroundings is None else _hindrance(run, surroundings, now)
    return Explanation(
        summary=_summary(run, now),
        waits_for=hindrance or _waits_for(run, now),
        causes=_causes(run),
        remedy=run.error.remedy if run.error else _remedy(run),
        retryable=run.error.retryable if run.error else False,
    )


def _summary(run: Run, now: datetime) -> str:
    age = int((now - run.status_since).total_seconds())
    match run.status:
        case RunStatus.QUEUED:
            return f"The run has waited {age} of {run.queue_timeout_seconds} s for a slot."
        case RunStatus.PENDING:
            return f"Attempt {run.attempt} of {MOST_ATTEMPTS} has waited {age} s for its runner."
        case RunStatus.RUNNING:
            phase = run.progress.phase if run.progress else "claimed"
            return f"The runner is at work ({phase}); it has had {age} of {run.timeout_seconds} s."
        case RunStatus.CANCELLING:
            return f"A cancel was asked for {age} s ago; the compute is not yet known to have stopped."
        case RunStatus.COMPLETED:
            return "The agent succeeded, and its container ended with exit code 0."
        case _:
            return run.error.message if run.error else str(run.status)


def _waits_for(run: Run, now: datetime) -> str | None:
    match run.status:
        case RunStatus.QUEUED:
            return "one of the tenant's runs to end"
        case RunStatus.PENDING:
            left = START_ALLOWANCE_SECONDS - int((now - run.status_since).total_seconds())
            seen = "its task to start" if run.task_arn else "its task to be launched"
            return f"{seen}; it is given up in {max(0, left)} s"
        case RunStatus.RUNNING if run.stop_code is not None:
            return f"its compute to stop ({run.stop_code})"
        case RunStatus.RUNNING:
            silent = int((now - (run.heartbeat_at or run.status_since)).total_seconds())
            return f"its agent to end; the runner was heard {silent} s ago (given up after {HEARTBEAT_LOST_SECONDS} s)"
        case RunStatus.CANCELLING:
            return "proof from ECS that its compute has stopped"
        case _:
            return None


def _hindrance(run: Run, around: Surroundings, now: datetime) -> str | None:
    """What outside the run keeps it from beginning; the strongest first."""
    if run.status not in (RunStatus.QUEUED, RunStatus.PENDING):
        return None
    if around.deployment.kill_switch is not None:
        return "the operator to lift the deployment's kill switch"
    if around.tenant.kill_switch is not None:
        return f"the tenant's kill switch to be lifted (reason: {around.tenant.kill_switch.reason})"
    breaker = around.deployment.breaker(run.agent)
    failed = f"{breaker.failures} launches of {run.agent}, or calls to its provider, failed in a row"
    is_failing = breaker.state(now) is not BreakerState.CLOSED
    if is_failing and run.is_queued:
        return f"{run.agent} to be launched again: {failed}"
    if not run.is_queued:
        return f"{_waits_for(run, now)} ({failed})" if is_failing else None
    place = f"it is number {around.queue_position} of {around.tenant.queued_runs} in the queue"
    if around.tenant.has_room:
        slot = "its slot, which is free" if around.deployment.has_room else "a slot of the deployment, which is full"
        return f"{slot}; {place}"
    limit, active = around.tenant.plan.concurrent_runs, around.tenant.active_runs
    return f"one of the tenant's runs to end ({active} of {limit} are at work); {place}"


def _remedy(run: Run) -> str | None:
    if run.status is RunStatus.PENDING and run.lost_attempts:
        return "Nothing yet: it is tried again by itself."
    return None


def _causes(run: Run) -> tuple[Cause, ...]:
    found = [Cause(run.created_at, "The dispatch was accepted.")]
    found.extend(
        Cause(lost.ended_at, f"Attempt {lost.attempt} was lost: {lost.error.message}") for lost in run.lost_attempts
    )
    if run.released_at is not None:
        found.append(Cause(run.released_at, "It got its slot."))
    if run.started_at is not None:
        found.append(Cause(run.started_at, f"A runner took attempt {run.attempt}."))
    if run.budget_nearly_used_at is not None:
        found.append(Cause(run.budget_nearly_used_at, f"Four fifths of its model budget ({run.budget}) were used."))
    if run.cancel_requested_at is not None:
        found.append(
            Cause(run.cancel_requested_at, f"A cancel was asked for: {run.cancel_reason or 'no reason given'}.")
        )
    if run.report is not None:
        code = "" if run.report.exit_code is None else f", exit code {run.report.exit_code}"
        found.append(Cause(run.report.reported_at, f"The runner reported: {run.report.outcome}{code}."))
    if run.compute_stopped_at is not None:
        found.append(Cause(run.compute_stopped_at, "Its compute stopped."))
    if run.ended_at is not None:
        found.append(Cause(run.ended_at, f"The run ended as {run.status}."))
    return tuple(sorted(found, key=lambda cause: cause.at))
