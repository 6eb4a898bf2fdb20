"""Ends a run on evidence that its compute has stopped; late, repeated and foreign evidence changes nothing."""

from collections.abc import Callable
from datetime import datetime

from outpost.domain.clocks import give_up_waiting, lose_place
from outpost.domain.event import EventType
from outpost.domain.outcome import Evidence, settle
from outpost.domain.run import Run, RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.ports import Clock, Identifiers, Runs, Tasks
from outpost.use_cases.change_run import Change, change_run

_ENDED = {
    RunStatus.COMPLETED: EventType.RUN_COMPLETED,
    RunStatus.FAILED: EventType.RUN_FAILED,
    RunStatus.TIMEOUT: EventType.RUN_TIMEOUT,
    RunStatus.CANCELLED: EventType.RUN_CANCELLED,
    RunStatus.PENDING: EventType.RUN_RELAUNCHED,
}


def finish_run(
    tenant_id: str, run_id: str, evidence: Evidence, *, runs: Runs, clock: Clock, identifiers: Identifiers
) -> Run:
    """The run with its outcome if the evidence settles it, else as it is. Raises RunNotFound."""

    def decide(run: Run) -> Change:
        settled = settle(run, evidence, clock.now())
        is_relaunched = settled.status is RunStatus.PENDING and settled.lost_attempts
        error = settled.lost_attempts[-1].error if is_relaunched else settled.error
        return Change(settled, _ENDED.get(settled.status), {"error": error.code} if error else {})

    return change_run(tenant_id, run_id, decide, runs=runs, clock=clock, identifiers=identifiers)


def expire_queued(tenant_id: str, run_id: str, *, runs: Runs, clock: Clock, identifiers: Identifiers) -> Run:
    """A run that waited too long for its slot, ended; one that has it by now is left alone. Raises RunNotFound."""
    return _end_queued(tenant_id, run_id, give_up_waiting, runs=runs, clock=clock, identifiers=identifiers)


def abandon_queued(tenant_id: str, run_id: str, *, runs: Runs, clock: Clock, identifiers: Identifiers) -> Run:
    """A waiting run whose execution is over, ended; one that has its slot by now is left alone. Raises RunNotFound."""
    return _end_queued(tenant_id, run_id, lose_place, runs=runs, clock=clock, identifiers=identifiers)


def _end_queued(
    tenant_id: str,
    run_id: str,
    end: Callable[[Run, datetime], Run],
    *,
    runs: Runs,
    clock: Clock,
    identifiers: Identifiers,
) -> Run:
    def decide(run: Run) -> Change:
        ended = end(run, clock.now())
        return Change(ended, _ENDED.get(ended.status), {"error": ended.error.code} if ended.error else {})

    return change_run(tenant_id, run_id, decide, runs=runs, clock=clock, identifiers=identifiers)


def look_and_finish(
    run: Run,
    *,
    is_given_up: bool,
    runs: Runs,
    tasks: Tasks,
    clock: Clock,
    identifiers: Identifiers,
) -> Run:
    """The run with its outcome if ECS says that its task has stopped; one that was given up is stopped for certain."""
    if run.status.is_terminal or run.task_arn is None:
        return run
    task = tasks.describe(run.task_arn)
    if task is not None and task.is_stopped:
        evidence = Evidence(attempt=run.attempt, task=task)
        return finish_run(run.tenant_id, run.run_id, evidence, runs=runs, clock=clock, identifiers=identifiers)
    if task is not None and is_given_up:
        tasks.stop(run.task_arn, "Its execution has given it up.")
    return run


def mark_stopping(
    tenant_id: str, run_id: str, attempt: int, code: RunErrorCode, *, runs: Runs, clock: Clock, identifiers: Identifiers
) -> Run:
    """The run with the reason why the attempt's compute is being stopped, which becomes its error. Raises RunNotFound.

    A run that is at another attempt by now is left alone: the reason was the other one's.
    """

    def decide(run: Run) -> Change:
        if run.attempt != attempt:
            return Change(run)
        return Change(run.stopping(code, clock.now()), EventType.RUN_STOPPING, {"because": code})

    return change_run(tenant_id, run_id, decide, runs=runs, clock=clock, identifiers=identifiers)


def note_task(
    tenant_id: str, run_id: str, attempt: int, task_arn: str, *, runs: Runs, clock: Clock, identifiers: Identifiers
) -> Run:
    """The run with the task that ECS says was launched for it. Raises RunNotFound."""

    def decide(run: Run) -> Change:
        return Change(run.noted(task_arn) if run.attempt == attempt else run)

    return change_run(tenant_id, run_id, decide, runs=runs, clock=clock, identifiers=identifiers)
