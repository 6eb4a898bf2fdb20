"""Evidence to outcome: what is known of a run's compute, and the one decision of how the run ended.

Sources of the stop codes and of a missing exit code: Amazon ECS, "Stopped task error codes" and the Task data type.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from outpost.domain.report import ReportedOutcome
from outpost.domain.run import MOST_ATTEMPTS, Run, RunStatus, cancelled_error
from outpost.domain.run_error import RunError, RunErrorCode, without_identifiers


class StopCode(StrEnum):
    """Why ECS stopped a task."""

    TASK_FAILED_TO_START = "TaskFailedToStart"
    ESSENTIAL_CONTAINER_EXITED = "EssentialContainerExited"
    USER_INITIATED = "UserInitiated"
    SERVICE_SCHEDULER_INITIATED = "ServiceSchedulerInitiated"
    SPOT_INTERRUPTION = "SpotInterruption"
    TERMINATION_NOTICE = "TerminationNotice"
    INFRASTRUCTURE_HEALTH = "InfrastructureHealth"
    UNKNOWN = "Unknown"

    @classmethod
    def _missing_(cls, value: object) -> "StopCode":  # noqa: ARG003 a code newer than this program
        return cls.UNKNOWN


_LOST = frozenset({StopCode.SPOT_INTERRUPTION, StopCode.TERMINATION_NOTICE, StopCode.INFRASTRUCTURE_HEALTH})


@dataclass(frozen=True)
class TaskState:
    """What ECS says of one task of a run; `started_at` is when it began to download the image, which is billed."""

    task_arn: str
    tenant_id: str
    run_id: str
    attempt: int
    is_stopped: bool
    stop_code: StopCode | None = None
    stopped_reason: str | None = None
    exit_code: int | None = None
    started_at: datetime | None = None
    stopped_at: datetime | None = None


class NeverLaunched(StrEnum):
    """How it is known that an attempt has no task and will get none."""

    LAUNCH_REFUSED = "the task could not be launched"
    EXECUTION_ENDED = "its execution ended before it launched a task"


@dataclass(frozen=True)
class Evidence:
    """What one of the four roads brings of an attempt: its task, or why it has none; neither proves nothing."""

    attempt: int
    task: TaskState | None = None
    never_launched: NeverLaunched | None = None
    detail: str = ""

    def proves_stop_of(self, run: Run) -> bool:
        """Whether the compute of the run's current attempt is known to have stopped, or never to start."""
        if self.attempt != run.attempt:
            return False
        if self.task is not None:
            return self.task.is_stopped and run.task_arn in (None, self.task.task_arn)
        return self.never_launched is not None and run.task_arn is None


@dataclass(frozen=True)
class Testimony:
    """Evidence, whose run it is of, and what follows from the road on which it came.

    `is_waiting`: its execution waited for a slot, so there is no compute to speak of.
    `ran_out_of_time`: a timeout of the machine's ended the wait. `is_given_up`: Step Functions has stopped the task, or
    tried to, so that it has to be looked for and stopped for certain.
    """

    tenant_id: str
    run_id: str
    evidence: Evidence
    ran_out_of_time: bool = False
    is_given_up: bool = False
    is_waiting: bool = False


def settle(run: Run, evidence: Evidence, at: datetime) -> Run:
    """The run with its outcome, or the run unchanged where it has one already or its compute may still be at work."""
    if run.status.is_terminal or not evidence.proves_stop_of(run):
        return run
    status, error = _outcome(run, evidence)
    if error is not None and _may_relaunch(run, evidence):
        return run.relaunched(error, at)
    started_at = evidence.task.started_at if evidence.task else None
    stopped_at = evidence.task.stopped_at if evidence.task else None
    container_exit_code = evidence.task.exit_code if evidence.task else None
    return replace(
        run.ended(status, error, at),
        exit_code=run.report.exit_code if run.report else container_exit_code,
        compute_started_at=started_at,
        compute_stopped_at=(stopped_at or at) if evidence.task else None,
    )


def _outcome(run: Run, evidence: Evidence) -> tuple[RunStatus, RunError | None]:
    if run.status is RunStatus.CANCELLING:
        return RunStatus.CANCELLED, cancelled_error(run.cancel_reason)
    if _is_success(run, evidence):
        return RunStatus.COMPLETED, None
    error = _error(run, evidence)
    timeouts = (RunErrorCode.RUN_TIMEOUT, RunErrorCode.START_TIMEOUT)
    return (RunStatus.TIMEOUT if error.code in timeouts else RunStatus.FAILED), error


def _may_relaunch(run: Run, evidence: Evidence) -> bool:
    """Whether the attempt was lost before or beneath the agent: what the agent did itself is never done again."""
    if run.attempt >= MOST_ATTEMPTS or run.status is RunStatus.CANCELLING or run.stop_code is not None:
        return False
    if run.report is not None and run.report.outcome is not ReportedOutcome.CANCELLED:
        return False
    if evidence.task is None:
        return evidence.never_launched is NeverLaunched.LAUNCH_REFUSED
    return evidence.task.stop_code in _LOST or evidence.task.stop_code is StopCode.TASK_FAILED_TO_START


def _is_success(run: Run, evidence: Evidence) -> bool:
    """The runner's word and the container's own end have to agree; a missing exit code is not a zero."""
    return (
        run.report is not None
        and run.report.attempt == run.attempt
        and run.report.outcome is ReportedOutcome.SUCCEEDED
        and evidence.task is not None
        and evidence.task.stop_code is StopCode.ESSENTIAL_CONTAINER_EXITED
        and evidence.task.exit_code == 0
    )


def _error(run: Run, evidence: Evidence) -> RunError:
    if run.stop_code is not None:
        return RunError.of(run.stop_code, _STOPPED_BECAUSE[run.stop_code].format(run=run))
    report = run.report
    if report is not None and report.outcome in (ReportedOutcome.FAILED, ReportedOutcome.TIMEOUT) and report.error:
        return report.error
    code, message = _compute_error(run, evidence)
    return RunError.of(code, without_identifiers(message))


_STOPPED_BECAUSE = {
    RunErrorCode.KILL_SWITCH_ON: "A kill switch was on when the runner asked for the run.",
    RunErrorCode.TENANT_SUSPENDED: "The tenant was suspended when the runner asked for the run.",
    RunErrorCode.RUN_TIMEOUT: "The run did not end within its {run.timeout_seconds} seconds.",
    RunErrorCode.START_TIMEOUT: "No runner claimed the run in time after its launch.",
    RunErrorCode.HEARTBEAT_LOST: "The runner fell silent.",
}


def _compute_error(run: Run, evidence: Evidence) -> tuple[RunErrorCode, str]:
    task = evidence.task
    if task is None:
        return RunErrorCode.AGENT_START_FAILED, f"No compute: {evidence.never_launched}. {evidence.detail}".strip()
    reason = task.stopped_reason or "no reason given"
    if task.stop_code is StopCode.TASK_FAILED_TO_START:
        return RunErrorCode.AGENT_START_FAILED, f"The task failed to start: {reason}"
    if "OutOfMemory" in reason:
        return RunErrorCode.OUT_OF_MEMORY, f"The container ran out of memory: {reason}"
    if task.stop_code in _LOST:
        return RunErrorCode.COMPUTE_LOST, f"The machine under the run was lost: {reason}"
    if task.stop_code is not StopCode.ESSENTIAL_CONTAINER_EXITED:
        return RunErrorCode.COMPUTE_LOST, f"The task was stopped from outside: {reason}"
    if run.started_at is None:
        return (
            RunErrorCode.AGENT_START_FAILED,
            f"The container ended with exit code {task.exit_code} before its runner claimed the run.",
        )
    return (
        RunErrorCode.COMPUTE_LOST,
        f"The container ended with exit code {task.exit_code} and its runner reported no confirmed result.",
    )
