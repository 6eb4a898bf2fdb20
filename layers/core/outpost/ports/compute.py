"""What runs are made of on AWS: executions, tasks, and the output of tasks."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from outpost.domain.outcome import TaskState
from outpost.domain.run import Run


class ExecutionStatus(StrEnum):
    """What Step Functions says of an execution."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
    PENDING_REDRIVE = "PENDING_REDRIVE"


class Executions(Protocol):
    """The executions of runs, named by run id."""

    def start(self, run: Run, bootstrap_token: str) -> None:
        """Start the run's execution; again with the same input changes nothing."""
        ...

    def release(self, wait_token: str, bootstrap_token: str) -> None:
        """Let an execution that waits for its slot go on; nothing happens if it waits no longer."""
        ...

    def stop(self, run_id: str, *, error: str, cause: str) -> None:
        """Stop the execution, and with it its task; nothing happens if it has ended or never began."""
        ...

    def status(self, run_id: str) -> ExecutionStatus | None:
        """The execution's status, None if it was never started."""
        ...


@dataclass(frozen=True)
class AliveTasks:
    """The tasks of runs that have not been asked to stop; not complete where there were too many to look at."""

    tasks: tuple[TaskState, ...]
    is_complete: bool


class Tasks(Protocol):
    """The ECS tasks of runs."""

    def describe(self, task_arn: str) -> TaskState | None:
        """What ECS says of the task; None once it has forgotten it (about an hour after its stop)."""
        ...

    def stop(self, task_arn: str, reason: str) -> None:
        """Ask for the task's stop; nothing happens if it has stopped."""
        ...

    def alive(self) -> AliveTasks:
        """The tasks of runs in the cluster."""
        ...


@dataclass(frozen=True)
class LogLine:
    """One line of a run's output; `stream` is stdout, stderr or runner."""

    timestamp: datetime
    stream: str
    message: str


@dataclass(frozen=True)
class LogPage:
    """Lines, oldest first, and the token from which the next call goes on, whether or not there is more now.

    A page may be empty before the end: only `is_end` says that there is nothing after it now.
    """

    lines: tuple[LogLine, ...]
    next_token: str | None
    is_end: bool


class AgentLogs(Protocol):
    """The output of a run's tasks."""

    def page(self, agent: str, task_arn: str, *, token: str | None, limit: int) -> LogPage:
        """Lines of a task after a token, or from its beginning. Raises CursorInvalid for a token that has expired."""
        ...

    def tail(self, agent: str, task_arn: str, *, limit: int) -> tuple[LogLine, ...]:
        """The last lines of a task."""
        ...
