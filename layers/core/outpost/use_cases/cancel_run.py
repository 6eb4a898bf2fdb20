"""Cancels a run: the record first, then the compute; the proof that it has stopped comes later, to finish_run."""

import logging

from outpost.domain.errors import OutpostError
from outpost.domain.event import EventType
from outpost.domain.run import Run, RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.ports import Clock, Executions, Identifiers, Runs
from outpost.use_cases.change_run import Change, change_run

KILL_SWITCH_REASON = "A kill switch was put on."

logger = logging.getLogger(__name__)


def cancel_run(
    tenant_id: str,
    run_id: str,
    reason: str | None,
    *,
    runs: Runs,
    executions: Executions,
    clock: Clock,
    identifiers: Identifiers,
) -> Run:
    """The run, CANCELLING; again gives the same answer. Raises RunNotFound, RunAlreadyEnded."""

    def decide(run: Run) -> Change:
        asked = run.cancel_requested(reason, clock.now())
        is_over = asked.status is RunStatus.CANCELLED
        return Change(asked, EventType.RUN_CANCELLED if is_over else EventType.RUN_CANCELLING)

    run = change_run(tenant_id, run_id, decide, runs=runs, clock=clock, identifiers=identifiers)
    if run.cancel_requested_at is not None:
        try:
            executions.stop(run_id, error=RunErrorCode.CANCELLED_BY_USER, cause=run.cancel_reason or "no reason given")
        except OutpostError:
            who = "its own queue timeout" if run.status.is_terminal else "the sweep"
            logger.warning("the execution was not stopped; %s will stop it", who, extra={"run_id": run_id})
    return run
