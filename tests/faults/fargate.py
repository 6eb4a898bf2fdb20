"""What Fargate would do: tasks that start, run a runner, are asked to stop, and tell EventBridge of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from .timeline import Process, Timeline, Waiting

CLUSTER_ARN = "arn:aws:ecs:us-east-1:123456789012:cluster/outpost-dev"
START_SECONDS = 20
STOP_TIMEOUT_SECONDS = 120
SHOWN_SECONDS = 3600
SIGKILL_EXIT = 137


@dataclass
class Task:
    """One task, with the runner in it once it has started."""

    task_arn: str
    environment: dict[str, str]
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    stop_code: str | None = None
    stopped_reason: str | None = None
    stopped_at: datetime | None = None
    exit_code: int | None = None
    version: int = 1
    process: Process | None = None
    is_told_to_stop: bool = False
    holds_claim: bool = False
    on_stop: list[Callable[[], None]] = field(default_factory=list)

    @property
    def is_alive(self) -> bool:
        return self.last_status != "STOPPED"

    def describe(self) -> dict[str, Any]:
        """As ECS sends it, camelCase."""
        container: dict[str, Any] = {"name": "runner", "lastStatus": self.last_status}
        if self.exit_code is not None:
            container["exitCode"] = self.exit_code
        pairs = [{"name": name, "value": value} for name, value in self.environment.items()]
        facts = {
            "taskArn": self.task_arn,
            "clusterArn": CLUSTER_ARN,
            "lastStatus": self.last_status,
            "desiredStatus": self.desired_status,
            "stopCode": self.stop_code,
            "stoppedReason": self.stopped_reason,
            "stoppedAt": self.stopped_at and self.stopped_at.isoformat(),
            "version": self.version,
            "containers": [container],
            "overrides": {"containerOverrides": [{"name": "runner", "environment": pairs}]},
        }
        return {name: value for name, value in facts.items() if value is not None}


# What runs in a task: a runner's steps, which end by `exit_task`.
RunnerSteps = Callable[[Task], Waiting]


class Fargate:
    """The cluster. `tell` delivers an event; `lose_hosts` tasks in turn lose their machine after so many seconds."""

    def __init__(self, timeline: Timeline, runner: RunnerSteps, tell: Callable[[str, dict[str, Any]], None]) -> None:
        self._timeline = timeline
        self._runner = runner
        self._tell = tell
        self.tasks: dict[str, Task] = {}
        self.lose_hosts: list[float | None] = []

    def launch(self, environment: dict[str, str]) -> Task:
        arn = f"{CLUSTER_ARN.replace(':cluster/', ':task/')}/{len(self.tasks) + 1:032x}"
        task = self.tasks[arn] = Task(arn, environment)
        task.process = Process(self._timeline, self._live(task), delay=1)
        lost_after = self.lose_hosts.pop(0) if self.lose_hosts else None
        if lost_after is not None:
            self._timeline.after(
                lost_after, lambda: self._end(task, "SpotInterruption", "Your Spot Task was interrupted.")
            )
        return task

    def stop_task(self, task: Task, reason: str) -> None:
        if task.desired_status == "STOPPED":
            return
        task.desired_status = "STOPPED"
        task.stop_code, task.stopped_reason = "UserInitiated", reason
        if task.last_status != "RUNNING":
            self._timeline.after(1, lambda: self._end(task))
            return
        task.is_told_to_stop = True
        if task.process is not None:
            task.process.wake()
        self._timeline.after(STOP_TIMEOUT_SECONDS, lambda: self._end(task, exit_code=SIGKILL_EXIT))

    def exit_task(self, task: Task, exit_code: int) -> None:
        """The container ends by itself."""
        self._end(task, "EssentialContainerExited", "Essential container in task exited", exit_code)

    def answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """ECS's answer to a call of the functions."""
        if operation == "ListTasks":
            wanted = [t.task_arn for t in self.tasks.values() if t.desired_status == parameters["desiredStatus"]]
            return {"taskArns": wanted}
        if operation == "DescribeTasks":
            found = [self.tasks[arn] for arn in parameters["tasks"] if self._is_shown(self.tasks.get(arn))]
            return {"tasks": [task.describe() for task in found], "failures": []}
        if operation == "StopTask":
            task = self.tasks.get(parameters["task"])
            if task is None or not self._is_shown(task):
                raise ClientError({"Error": {"Code": "InvalidParameterException", "Message": "not found"}}, operation)
            self.stop_task(task, parameters["reason"])
            return {"task": task.describe()}
        raise NotImplementedError(operation)

    def _live(self, task: Task) -> Waiting:
        self._become(task, "PENDING")
        yield START_SECONDS
        self._become(task, "RUNNING")
        yield from self._runner(task)

    def _become(self, task: Task, status: str) -> None:
        task.last_status = status
        task.version += 1
        if status in ("PENDING", "STOPPED"):
            self._tell("ECS Task State Change", task.describe())

    def _end(
        self, task: Task, stop_code: str | None = None, reason: str | None = None, exit_code: int | None = None
    ) -> None:
        if not task.is_alive:
            return
        if task.process is not None:
            task.process.kill()
        task.desired_status = "STOPPED"
        task.stop_code, task.stopped_reason = task.stop_code or stop_code, task.stopped_reason or reason
        task.exit_code, task.stopped_at = exit_code, self._timeline.clock.now()
        self._become(task, "STOPPED")
        for tell in task.on_stop:
            tell()

    def _is_shown(self, task: Task | None) -> bool:
        if task is None or task.stopped_at is None:
            return task is not None
        return (self._timeline.clock.now() - task.stopped_at).total_seconds() < SHOWN_SECONDS
