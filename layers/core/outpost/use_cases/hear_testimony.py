"""What each of the roads to finish_run asks for: note a launch, blame a clock, look for a task that was given up."""

from outpost.domain.outcome import Testimony
from outpost.domain.run import Run, RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.ports import Clock, Identifiers, Runs, Tasks
from outpost.use_cases.find_results import require_run
from outpost.use_cases.finish_run import (
    abandon_queued,
    expire_queued,
    finish_run,
    look_and_finish,
    mark_stopping,
    note_task,
)


def hear_testimony(testimony: Testimony, *, runs: Runs, tasks: Tasks, clock: Clock, identifiers: Identifiers) -> Run:
    """The run after the testimony. Raises RunNotFound."""
    tenant_id, run_id, evidence = testimony.tenant_id, testimony.run_id, testimony.evidence
    if testimony.is_waiting or testimony.is_given_up:
        run = require_run(tenant_id, run_id, runs=runs)
        if testimony.is_waiting or run.is_queued:
            return _hear_of_waiting(testimony, run, runs=runs, clock=clock, identifiers=identifiers)
    if testimony.ran_out_of_time:
        _blame_clock(testimony, runs=runs, clock=clock, identifiers=identifiers)
    if evidence.task is not None and not evidence.task.is_stopped:
        return note_task(
            tenant_id,
            run_id,
            evidence.attempt,
            evidence.task.task_arn,
            runs=runs,
            clock=clock,
            identifiers=identifiers,
        )
    run = finish_run(tenant_id, run_id, evidence, runs=runs, clock=clock, identifiers=identifiers)
    if evidence.attempt != run.attempt:
        return run
    return look_and_finish(
        run, is_given_up=testimony.is_given_up, runs=runs, tasks=tasks, clock=clock, identifiers=identifiers
    )


def _hear_of_waiting(testimony: Testimony, run: Run, *, runs: Runs, clock: Clock, identifiers: Identifiers) -> Run:
    """A run that waits has no compute: it ends when its time or its execution has, and stays as it is otherwise."""
    if not run.is_queued:
        return run
    if testimony.ran_out_of_time:
        return expire_queued(run.tenant_id, run.run_id, runs=runs, clock=clock, identifiers=identifiers)
    if testimony.is_given_up:
        return abandon_queued(run.tenant_id, run.run_id, runs=runs, clock=clock, identifiers=identifiers)
    return run


def _blame_clock(testimony: Testimony, *, runs: Runs, clock: Clock, identifiers: Identifiers) -> None:
    run = require_run(testimony.tenant_id, testimony.run_id, runs=runs)
    if run.attempt != testimony.evidence.attempt or run.status not in (RunStatus.PENDING, RunStatus.RUNNING):
        return
    code = RunErrorCode.START_TIMEOUT if run.started_at is None else RunErrorCode.RUN_TIMEOUT
    mark_stopping(run.tenant_id, run.run_id, run.attempt, code, runs=runs, clock=clock, identifiers=identifiers)
