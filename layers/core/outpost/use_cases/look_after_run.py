"""Looks after one run that no event has moved: starts, finishes, stops or cancels it, as its record and compute say."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from outpost.domain.clocks import clock_that_ran_out
from outpost.domain.outcome import Evidence, NeverLaunched, StopCode, TaskState
from outpost.domain.run import Run, RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.ports import (
    Accounts,
    AliveTasks,
    Clock,
    Deployments,
    Executions,
    ExecutionStatus,
    Identifiers,
    Queue,
    Runs,
    SigningKey,
    Slots,
    Tasks,
)
from outpost.use_cases.cancel_run import KILL_SWITCH_REASON, cancel_run
from outpost.use_cases.finish_run import abandon_queued, expire_queued, finish_run, mark_stopping
from outpost.use_cases.hand_out_slots import SlotGiver, tell_released
from outpost.use_cases.start_execution import start_execution

# How long a call that was under way may still start something: the longest life of a function that starts executions.
SETTLING = timedelta(seconds=60)
# ECS shows a stopped task for about an hour; one that it does not show a moment after its launch may be on its way.
FORGOTTEN = timedelta(hours=2)


class Deed(StrEnum):
    """What the sweep did for one run or task."""

    NOTHING = "nothing"
    STARTED = "started"
    STOPPED = "stopped"
    FINISHED = "finished"
    ORPHAN_STOPPED = "orphan-stopped"
    SLOTS_CORRECTED = "slots-corrected"
    SLOTS_GIVEN = "slots-given"
    BREAKER_SEEN_OPEN = "breaker-seen-open"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True)
class Sweeper:
    """The ports that a sweep needs."""

    runs: Runs
    slots: Slots
    queue: Queue
    accounts: Accounts
    deployments: Deployments
    tasks: Tasks
    executions: Executions
    signing_key: SigningKey
    clock: Clock
    identifiers: Identifiers

    @property
    def giver(self) -> SlotGiver:
        """What of it handing out slots needs."""
        return SlotGiver(
            runs=self.runs,
            queue=self.queue,
            accounts=self.accounts,
            executions=self.executions,
            signing_key=self.signing_key,
            clock=self.clock,
            identifiers=self.identifiers,
        )


@dataclass
class Switches:
    """The kill switches that end what runs, each read once in a round."""

    deployments: Deployments
    accounts: Accounts
    _known: dict[str | None, bool] = field(default_factory=dict)

    def stop(self, run: Run) -> bool:
        """Whether a switch ends the run, and it is not yet on its way."""
        return run.status is not RunStatus.CANCELLING and self.end_work_of(run.tenant_id)

    def end_work_of(self, tenant_id: str) -> bool:
        """Whether a switch ends what is at work for the tenant."""
        return self._is_on(None) or self._is_on(tenant_id)

    def _is_on(self, tenant_id: str | None) -> bool:
        if tenant_id not in self._known:
            holder = self.deployments.get() if tenant_id is None else self.accounts.get(tenant_id)
            switch = holder.kill_switch if holder else None
            self._known[tenant_id] = switch is not None and switch.stop_running
        return self._known[tenant_id]


def look_after_run(sweeper: Sweeper, switches: Switches, tenant_id: str, run_id: str, alive: AliveTasks) -> Deed:
    """What was done for one run that was due."""
    run = sweeper.runs.get(tenant_id, run_id)
    if run is None or run.status.is_terminal:
        return Deed.NOTHING  # the index lags behind the table
    now = sweeper.clock.now()
    if run.status is RunStatus.QUEUED:
        return _look_after_queued(sweeper, run, now)
    task = _task_of(sweeper, run, alive, now)
    if task is not None and task.is_stopped:
        return _finish(sweeper, run, Evidence(run.attempt, task=task))
    if switches.stop(run):
        return _cancel(sweeper, run)
    execution = sweeper.executions.status(run.run_id)
    overdue = clock_that_ran_out(run, now)
    if overdue is not None:
        run = mark_stopping(
            run.tenant_id,
            run.run_id,
            run.attempt,
            overdue,
            runs=sweeper.runs,
            clock=sweeper.clock,
            identifiers=sweeper.identifiers,
        )
    if execution is None and run.status is RunStatus.PENDING and run.stop_code is None:
        start_execution(run, executions=sweeper.executions, signing_key=sweeper.signing_key)
        return Deed.STARTED
    if run.wait_tokens and task is None:
        tell_released(sweeper.giver, run)
    has_no_task = task is None and (run.task_arn is not None or alive.is_complete)
    if has_no_task and execution is not ExecutionStatus.RUNNING and now - run.status_since >= SETTLING:
        return _finish(sweeper, run, Evidence(run.attempt, never_launched=NeverLaunched.EXECUTION_ENDED))
    return _stop(sweeper, run, execution, task) if _is_to_stop(run, execution) else Deed.NOTHING


def _look_after_queued(sweeper: Sweeper, run: Run, now: datetime) -> Deed:
    is_late = clock_that_ran_out(run, now) is not None
    execution = None if is_late else sweeper.executions.status(run.run_id)
    if not is_late and execution is None:
        start_execution(run, executions=sweeper.executions, signing_key=sweeper.signing_key)
        return Deed.STARTED
    if execution is ExecutionStatus.RUNNING:
        return Deed.NOTHING
    end = expire_queued if is_late else abandon_queued
    end(run.tenant_id, run.run_id, runs=sweeper.runs, clock=sweeper.clock, identifiers=sweeper.identifiers)
    return Deed.FINISHED


def _cancel(sweeper: Sweeper, run: Run) -> Deed:
    cancel_run(
        run.tenant_id,
        run.run_id,
        KILL_SWITCH_REASON,
        runs=sweeper.runs,
        executions=sweeper.executions,
        clock=sweeper.clock,
        identifiers=sweeper.identifiers,
    )
    return Deed.CANCELLED


def _is_to_stop(run: Run, execution: ExecutionStatus | None) -> bool:
    """Whether nobody wants the run's compute any more: it was cancelled, is overdue, or was stopped in the console."""
    was_given_up = execution in (ExecutionStatus.ABORTED, ExecutionStatus.TIMED_OUT)
    return run.status is RunStatus.CANCELLING or run.stop_code is not None or was_given_up


def _task_of(sweeper: Sweeper, run: Run, alive: AliveTasks, now: datetime) -> TaskState | None:
    """The run's task; one that has been silent for so long that ECS has forgotten it has stopped."""
    if run.task_arn is None:
        mine = (run.tenant_id, run.run_id, run.attempt)
        return next((t for t in alive.tasks if (t.tenant_id, t.run_id, t.attempt) == mine), None)
    task = sweeper.tasks.describe(run.task_arn)
    if task is None and now - (run.heartbeat_at or run.status_since) > FORGOTTEN:
        return TaskState(
            task_arn=run.task_arn,
            tenant_id=run.tenant_id,
            run_id=run.run_id,
            attempt=run.attempt,
            is_stopped=True,
            stop_code=StopCode.UNKNOWN,
            stopped_reason="ECS no longer knows the task",
        )
    return task


def _stop(sweeper: Sweeper, run: Run, execution: ExecutionStatus | None, task: TaskState | None) -> Deed:
    code = run.stop_code or RunErrorCode.CANCELLED_BY_USER
    if execution is ExecutionStatus.RUNNING:
        sweeper.executions.stop(run.run_id, error=code, cause=run.cancel_reason or "The sweep stopped it.")
    if task is not None:
        sweeper.tasks.stop(task.task_arn, f"{code}: the sweep stopped it.")
    return Deed.NOTHING if task is None and execution is not ExecutionStatus.RUNNING else Deed.STOPPED


def _finish(sweeper: Sweeper, run: Run, evidence: Evidence) -> Deed:
    run = finish_run(
        run.tenant_id,
        run.run_id,
        evidence,
        runs=sweeper.runs,
        clock=sweeper.clock,
        identifiers=sweeper.identifiers,
    )
    return Deed.FINISHED if run.status.is_terminal else Deed.NOTHING
