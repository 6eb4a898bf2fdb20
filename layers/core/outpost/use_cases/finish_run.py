"""Ends a run on evidence that its compute has stopped; late, repeated and foreign evidence changes nothing."""

from outpost.domain.clocks import give_up_waiting
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
        error = settled.error or (settled.lost_attempts[-1].error if settled.lost_attempts else None)
        return Change(settled, _ENDED.get(settled.status), {"error": error.code} if error else {})

    return change_run(tenant_id, run_id, decide, runs=runs, clock=clock, identifiers=identifiers)


def expire_queued(tenant_id: str, run_id: str, *, runs: Runs, clock: Clock, identifiers: Identifiers) -> Run:
    """A run that waited too long for its slot, ended; one that has it by now is left alone. Raises RunNotFound."""

    def decide(run: Run) -> Change:
        details = {"error": str(RunErrorCode.QUEUE_TIMEOUT)}
        return Change(give_up_waiting(run, clock.now()), EventType.RUN_TIMEOUT, details)

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
