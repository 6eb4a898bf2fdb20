"""Ends a run on evidence that its compute has stopped; late, repeated and foreign evidence changes nothing."""

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
}


def finish_run(
    tenant_id: str, run_id: str, evidence: Evidence, *, runs: Runs, clock: Clock, identifiers: Identifiers
) -> Run:
    """The run with its outcome if the evidence settles it, else as it is. Raises RunNotFound."""

    def decide(run: Run) -> Change:
        settled = settle(run, evidence, clock.now())
        details = {"error": settled.error.code} if settled.error else {}
        return Change(settled, _ENDED.get(settled.status), dict(details))

    return change_run(tenant_id, run_id, decide, runs=runs, clock=clock, identifiers=identifiers)


def look_and_finish(
    tenant_id: str,
    run_id: str,
    evidence: Evidence,
    *,
    runs: Runs,
    tasks: Tasks,
    clock: Clock,
    identifiers: Identifiers,
) -> Run:
    """Like `finish_run`, and where the evidence settles nothing: ask ECS, and stop a task that nobody follows any more.

    For the roads on which Step Functions has given up the task, or says that it has stopped it.
    """
    run = finish_run(tenant_id, run_id, evidence, runs=runs, clock=clock, identifiers=identifiers)
    if run.status.is_terminal or run.task_arn is None or evidence.attempt != run.attempt:
        return run
    task = tasks.describe(run.task_arn)
    if task is None:
        return run
    if not task.is_stopped:
        tasks.stop(run.task_arn, "Its execution no longer follows it.")
        return run
    seen = Evidence(attempt=run.attempt, task=task, detail=evidence.detail)
    return finish_run(tenant_id, run_id, seen, runs=runs, clock=clock, identifiers=identifiers)


def mark_stopping(
    tenant_id: str, run_id: str, code: RunErrorCode, *, runs: Runs, clock: Clock, identifiers: Identifiers
) -> Run:
    """The run with the reason why its compute is being stopped, which becomes its error. Raises RunNotFound."""

    def decide(run: Run) -> Change:
        return Change(run.stopping(code, clock.now()), EventType.RUN_STOPPING, {"because": code})

    return change_run(tenant_id, run_id, decide, runs=runs, clock=clock, identifiers=identifiers)


def note_task(
    tenant_id: str, run_id: str, attempt: int, task_arn: str, *, runs: Runs, clock: Clock, identifiers: Identifiers
) -> Run:
    """The run with the task that ECS says was launched for it. Raises RunNotFound."""

    def decide(run: Run) -> Change:
        return Change(run.noted(task_arn) if run.attempt == attempt else run)

    return change_run(tenant_id, run_id, decide, runs=runs, clock=clock, identifiers=identifiers)
