"""A Fargate of processes: launches what RunTask asks for, stops what StopTask asks for, and tells of every change."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from outpost_local.container_logs import LogDestination, LogShipper
from outpost_local.ecs_tasks import FargateTask, describe_task
from outpost_local.isolation import Isolation
from outpost_local.metadata_endpoint import MetadataEndpoint
from outpost_local.task_launch import (
    TaskImage,
    describe_metadata,
    find_log_destination,
    find_stop_timeout,
    plan_command,
)
from outpost_local.task_process import TaskProcess, remove_folder

_POLL_SECONDS = 0.02
_LOGS_SECONDS = 30


@dataclass(frozen=True)
class RunningTask:
    """A task whose command runs; `process_id` is the command's own."""

    task_arn: str
    run_id: str
    process_id: int


class _Work:
    """A task, its process when it has one, and whether it is to stop."""

    def __init__(self, task: FargateTask) -> None:
        self.task = task
        self.process: TaskProcess | None = None
        self.stopping = threading.Event()
        self.stopped = threading.Event()
        self.thread: threading.Thread | None = None


class Fargate:
    """Everything that runs, until `stop`."""

    def __init__(
        self, folder: Path, image: TaskImage, isolation: Isolation, logs: Any, publish: Callable[[dict[str, Any]], None]
    ) -> None:
        self._folder = folder
        self._folder.mkdir(mode=0o700)
        self._image = image
        self._isolation = isolation
        self._logs = logs
        self._publish = publish
        self._metadata = MetadataEndpoint()
        self._works: dict[str, _Work] = {}
        self._failures: list[str] = []
        self._lock = threading.RLock()

    def launch(self, task: FargateTask) -> None:
        work = _Work(task)
        work.thread = threading.Thread(target=self._run, args=(work,), name=f"task-{task.id}", daemon=True)
        with self._lock:
            self._works[task.task_arn] = work
        self._publish(describe_task(task))
        work.thread.start()

    def stop_task(self, task: FargateTask, stop_code: str, reason: str) -> None:
        """Ask for the end; does not wait for it. Of a task that is stopping already, the first reason stays."""
        work = self._works[task.task_arn]
        with task.lock:
            if task.desired_status == "STOPPED":
                return
            task.desired_status, task.stop_code, task.stopped_reason = "STOPPED", stop_code, reason
            task.stopping_at = datetime.now(UTC)
        work.stopping.set()

    def fail_next_launches(self, *reasons: str) -> None:
        """The next tasks stop as TaskFailedToStart, one reason each."""
        with self._lock:
            self._failures += reasons

    def tasks(self) -> list[RunningTask]:
        with self._lock:
            works = [work for work in self._works.values() if not work.stopped.is_set()]
        found = [(work.task, work.process.process_id if work.process else None) for work in works]
        return [RunningTask(task.task_arn, _find_run_id(task), pid) for task, pid in found if pid is not None]

    def find_task(self, task_arn: str) -> FargateTask:
        return self._works[task_arn].task

    def await_stopped(self, task_arn: str, timeout_seconds: float) -> bool:
        return self._works[task_arn].stopped.wait(timeout_seconds)

    def stop(self) -> None:
        """Kill whatever runs; there is nobody left to wait for its results."""
        with self._lock:
            works = list(self._works.values())
        for work in works:
            self.stop_task(work.task, "UserInitiated", "The local stack is stopping.")
            if work.process is not None:
                work.process.kill()
        for work in works:
            work.stopped.wait(10)
        self._metadata.stop()

    def _run(self, work: _Work) -> None:
        task = work.task
        try:
            self._advance(task, "PENDING", pull_started_at=datetime.now(UTC), pull_stopped_at=datetime.now(UTC))
            refusal = self._take_failure()
            if refusal is None and not work.stopping.is_set():
                self._run_container(work)
            elif refusal is not None:
                self._refuse(task, refusal)
        except (OSError, LookupError, ClientError) as error:
            # No process, no log settings, or no log group: on Fargate too the task then fails to start.
            self._refuse(task, f"ResourceInitializationError: {error}")
        task.containers[0].last_status = "STOPPED"
        self._advance(task, "DEPROVISIONING")
        self._advance(task, "STOPPED", stopped_at=datetime.now(UTC))
        work.stopped.set()

    def _run_container(self, work: _Work) -> None:
        task = work.task
        uri = self._metadata.add_task(describe_metadata(task))
        folder = self._folder / task.id
        folder.mkdir()
        folder.chmod(0o711)  # the agent's user passes it
        process = TaskProcess(plan_command(task, self._image, self._isolation, folder, uri), self._isolation)
        work.process = process
        try:
            group, stream = find_log_destination(task)
            shipper = LogShipper(process.output, LogDestination(group, stream), self._logs)
            task.containers[0].last_status = "RUNNING"
            self._advance(task, "RUNNING", started_at=datetime.now(UTC))
            exit_code = self._await_exit(work, process)
            shipper.finish(_LOGS_SECONDS)
        finally:
            process.kill()
            process.clean_up(remove_folder)
            self._metadata.remove_task(uri)
        self._record_exit(task, exit_code)

    def _await_exit(self, work: _Work, process: TaskProcess) -> int:
        while not work.stopping.is_set():
            exit_code = process.wait(_POLL_SECONDS)
            if exit_code is not None:
                return exit_code
        process.terminate()
        exit_code = process.wait(find_stop_timeout(work.task))
        while exit_code is None:
            process.kill()
            exit_code = process.wait(1)
        return exit_code

    def _record_exit(self, task: FargateTask, exit_code: int) -> None:
        now = datetime.now(UTC)
        with task.lock:
            task.containers[0].exitCode = exit_code
            task.execution_stopped_at = now
            if task.desired_status != "STOPPED":
                task.desired_status, task.stopping_at = "STOPPED", now
                task.stop_code, task.stopped_reason = "EssentialContainerExited", "Essential container in task exited"

    def _refuse(self, task: FargateTask, reason: str) -> None:
        with task.lock:
            task.desired_status, task.stop_code, task.stopped_reason = "STOPPED", "TaskFailedToStart", reason
            task.stopping_at = datetime.now(UTC)
            task.containers[0].reason = reason

    def _take_failure(self) -> str | None:
        with self._lock:
            return self._failures.pop(0) if self._failures else None

    def _advance(self, task: FargateTask, status: str, **facts: datetime) -> None:
        with task.lock:
            for name, value in facts.items():
                setattr(task, name, value)
            task.last_status = status
            task.version += 1
            document = describe_task(task)
        self._publish(document)


def _find_run_id(task: FargateTask) -> str:
    for override in task.overrides.get("containerOverrides", []):
        for variable in override.get("environment", []):
            if variable["name"] == "RUN_ID":
                return str(variable["value"])
    return ""
