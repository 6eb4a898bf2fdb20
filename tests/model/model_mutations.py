"""Defects put into the product's own decisions, one at a time: the model has to find each."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from outpost.domain import outcome as outcomes
from outpost.domain import run as runs
from outpost.domain.outcome import Evidence, StopCode
from outpost.domain.report import ReportedOutcome
from outpost.domain.run import Run, RunStatus
from outpost.use_cases import finish_run, look_after_run

Mutation = Callable[[pytest.MonkeyPatch], None]


def cancelling_may_complete(patch: pytest.MonkeyPatch) -> None:
    """A completion overtakes a cancel that was accepted."""
    patch.setitem(runs.TRANSITIONS, RunStatus.CANCELLING, frozenset({RunStatus.CANCELLED, RunStatus.COMPLETED}))
    decide = outcomes._outcome

    def mutant(run: Run, evidence: Evidence) -> Any:
        return (RunStatus.COMPLETED, None) if outcomes._is_success(run, evidence) else decide(run, evidence)

    patch.setattr(outcomes, "_outcome", mutant)


def cancelled_runs_can_be_claimed(patch: pytest.MonkeyPatch) -> None:
    """A claim is granted to a run that is CANCELLING."""
    table = runs.TRANSITIONS[RunStatus.CANCELLING] | {RunStatus.RUNNING}
    patch.setitem(runs.TRANSITIONS, RunStatus.CANCELLING, table)
    _claim_from(patch, {RunStatus.PENDING, RunStatus.CANCELLING})


def a_second_claim_is_granted(patch: pytest.MonkeyPatch) -> None:
    """A claim is granted although another runner holds the run."""
    patch.setitem(runs.TRANSITIONS, RunStatus.RUNNING, runs.TRANSITIONS[RunStatus.RUNNING] | {RunStatus.RUNNING})
    _claim_from(patch, {RunStatus.PENDING, RunStatus.RUNNING})


def _claim_from(patch: pytest.MonkeyPatch, statuses: set[RunStatus]) -> None:
    claim = Run.claimed

    def mutant(self: Run, *, attempt: int, claim_id: str, task_arn: str | None, at: datetime) -> Run:
        if attempt == self.attempt and self.status in statuses and self.claim_id != claim_id:
            running = self.becomes(RunStatus.RUNNING, at)
            return replace(running, claim_id=claim_id, task_arn=task_arn, started_at=at, heartbeat_at=at)
        return claim(self, attempt=attempt, claim_id=claim_id, task_arn=task_arn, at=at)

    patch.setattr(Run, "claimed", mutant)


def a_lost_attempt_can_still_claim(patch: pytest.MonkeyPatch) -> None:
    """A claim is granted to the runner of an attempt that was given up."""
    claim = Run.claimed

    def mutant(self: Run, *, attempt: int, claim_id: str, task_arn: str | None, at: datetime) -> Run:
        return claim(self, attempt=self.attempt, claim_id=claim_id, task_arn=task_arn, at=at)

    patch.setattr(Run, "claimed", mutant)


def a_missing_exit_code_is_success(patch: pytest.MonkeyPatch) -> None:
    """A container without exit code counts as one that ended with 0."""

    def mutant(run: Run, evidence: Evidence) -> bool:
        task = evidence.task
        is_reported = run.report is not None and run.report.outcome is ReportedOutcome.SUCCEEDED
        return is_reported and task is not None and not task.exit_code

    patch.setattr(outcomes, "_is_success", mutant)


def the_report_alone_is_success(patch: pytest.MonkeyPatch) -> None:
    """The runner's word is enough, whatever its container ended with."""
    patch.setattr(outcomes, "_is_success", lambda run, _: run.report is not None and run.report.exit_code == 0)


def evidence_of_another_attempt_counts(patch: pytest.MonkeyPatch) -> None:
    """Late evidence of a lost attempt ends the one that follows it."""

    def mutant(self: Evidence, run: Run) -> bool:
        return self.task.is_stopped if self.task is not None else self.never_launched is not None

    patch.setattr(Evidence, "proves_stop_of", mutant)


def a_terminal_status_can_be_left(patch: pytest.MonkeyPatch) -> None:
    """A cancel of a run that has failed is accepted."""
    cancel = Run.cancel_requested

    def mutant(self: Run, reason: str | None, at: datetime) -> Run:
        return (
            replace(self, status=RunStatus.CANCELLING) if self.status is RunStatus.FAILED else cancel(self, reason, at)
        )

    patch.setattr(Run, "cancel_requested", mutant)


def the_slot_is_kept_at_the_end(patch: pytest.MonkeyPatch) -> None:
    """The end of a run does not free its slot."""
    patch.setattr(Run, "holds_slot", property(lambda _: True))


def the_sweep_leaves_cancelled_runs_alone(patch: pytest.MonkeyPatch) -> None:
    """The sweep does not stop the compute of runs that are CANCELLING."""
    is_to_stop = look_after_run._is_to_stop
    patch.setattr(
        look_after_run,
        "_is_to_stop",
        lambda run, execution: run.status is not RunStatus.CANCELLING and is_to_stop(run, execution),
    )


def attempts_have_no_limit(patch: pytest.MonkeyPatch) -> None:
    """A lost attempt is always followed by another."""
    patch.setattr(outcomes, "MOST_ATTEMPTS", 99)


def a_living_task_counts_as_stopped(patch: pytest.MonkeyPatch) -> None:
    """A run is taken for never launched while its task is alive."""
    patch.setattr(Evidence, "proves_stop_of", lambda self, run: self.attempt == run.attempt)


def the_stop_of_another_task_counts(patch: pytest.MonkeyPatch) -> None:
    """The stop of one task proves the stop of the run's other one."""

    def mutant(self: Evidence, run: Run) -> bool:
        is_mine = self.attempt == run.attempt
        return is_mine and (self.task.is_stopped if self.task else self.never_launched is not None)

    patch.setattr(Evidence, "proves_stop_of", mutant)


def no_clock_runs_out(patch: pytest.MonkeyPatch) -> None:
    """The sweep never takes a run for overdue."""
    patch.setattr(look_after_run, "clock_that_ran_out", lambda *_: None)


def a_cancelled_run_is_relaunched(patch: pytest.MonkeyPatch) -> None:
    """A lost host gives a run that is CANCELLING another attempt."""
    patch.setitem(runs.TRANSITIONS, RunStatus.CANCELLING, frozenset({RunStatus.CANCELLED, RunStatus.PENDING}))
    lost = {StopCode.SPOT_INTERRUPTION, StopCode.TASK_FAILED_TO_START}
    patch.setattr(
        outcomes, "_may_relaunch", lambda _, evidence: bool(evidence.task and evidence.task.stop_code in lost)
    )


def an_end_has_no_event(patch: pytest.MonkeyPatch) -> None:
    """A run that fails does so without its event."""
    patch.delitem(finish_run._ENDED, RunStatus.FAILED)


def late_evidence_rewrites_the_end(patch: pytest.MonkeyPatch) -> None:
    """Evidence that comes after the end gives a failed run another end."""
    settle = outcomes.settle

    def mutant(run: Run, evidence: Evidence, at: datetime) -> Run:
        if run.status is RunStatus.FAILED and evidence.task is not None:
            return replace(run, status=RunStatus.TIMEOUT)
        return settle(run, evidence, at)

    patch.setattr(finish_run, "settle", mutant)
