"""Completes moto's ECS tasks: the facts that AWS tells of a task, and nothing that advances by itself."""

import copy
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs import models as ecs
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.moto_api import state_manager

from outpost_local.patching import Patches

_NEVER = 10**9
_TIMES = (
    "created_at",
    "pull_started_at",
    "pull_stopped_at",
    "started_at",
    "stopping_at",
    "execution_stopped_at",
    "stopped_at",
)


class FargateTask(ecs.Task):  # type: ignore[misc] # moto is untyped
    """A task whose status somebody else drives, who holds `lock` while changing facts that belong together."""

    def __init__(self, **settings: Any) -> None:
        self.lock = threading.RLock()
        self.task_definition = settings["task_definition"]
        # moto makes a network interface, which it cannot in every network; a process here needs none.
        without_network = copy.copy(self.task_definition)
        without_network.network_mode = None
        super().__init__(**{**settings, "task_definition": without_network})
        if self.task_definition.network_mode == "awsvpc":
            self.attachments = [_attach_network(settings["networking_configuration"])]
        self.status = "PROVISIONING"
        self.version = 1
        self.created_at = datetime.now(UTC)
        self.pull_started_at: datetime | None = None
        self.pull_stopped_at: datetime | None = None
        self.started_at: datetime | None = None
        self.stopping_at: datetime | None = None
        self.stopped_at: datetime | None = None
        self.execution_stopped_at: datetime | None = None
        self.stop_code: str | None = None
        self.stopped_reason: str | None = None
        self.connectivity = "CONNECTED"
        self.cpu = self.task_definition.cpu
        self.memory = self.task_definition.memory
        self.platform_version = "1.4.0"
        self.availability_zone = f"{self.region_name}a"
        for container in self.containers:
            container.exitCode = None
            container.reason = None
            container.task_arn = self.task_arn

    @property
    def container_name(self) -> str:
        return str(self.containers[0].name)


def _attach_network(configuration: dict[str, Any] | None) -> dict[str, Any]:
    if not configuration:
        raise InvalidParameterException(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    subnet = configuration["awsvpcConfiguration"]["subnets"][0]
    interface = f"eni-{uuid.uuid4().hex[:17]}"
    details = {"subnetId": subnet, "networkInterfaceId": interface, "privateIPv4Address": "127.0.0.1"}
    return {
        "id": str(uuid.uuid4()),
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED",
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }


def bridge_tasks(
    patches: Patches, launch: Callable[[FargateTask], None], stop: Callable[[FargateTask, str, str], None]
) -> None:
    """Until the patches are undone, RunTask calls `launch`, and StopTask calls `stop` with code and reason."""
    patches.set_attribute(ecs, "Task", FargateTask)
    state_manager.set_transition("ecs::task", {"progression": "manual", "times": _NEVER})
    backend = ecs.EC2ContainerServiceBackend
    run_task, list_tasks = backend.run_task, backend.list_tasks

    def run_and_launch(self: Any, *arguments: Any, **settings: Any) -> Any:
        tasks = run_task(self, *arguments, **settings)
        for task in tasks:
            launch(task)
        return [describe_task(task) for task in tasks]

    def stop_found(self: Any, cluster_str: str, task_str: str, reason: str | None) -> Any:
        task = find_task(self, cluster_str, task_str)
        stop(task, "UserInitiated", reason or "Task stopped by user")
        return describe_task(task)

    def list_desired(self: Any, *arguments: Any, **settings: Any) -> Any:
        # Without a desired status, ECS lists the tasks that are meant to run.
        wanted = settings.pop("desiredStatus", None) or (arguments[5] if len(arguments) > 5 else None)  # noqa: PLR2004
        return list_tasks(self, *arguments[:5], **settings, desiredStatus=wanted or "RUNNING")

    # moto reserves memory on container instances, which a Fargate task has none of.
    patches.set_attribute(backend, "_calculate_task_resource_requirements", staticmethod(lambda _: {}))
    patches.set_attribute(backend, "run_task", run_and_launch)
    patches.set_attribute(backend, "stop_task", stop_found)
    patches.set_attribute(backend, "list_tasks", list_desired)
    patches.set_attribute(EC2ContainerServiceResponse, "describe_tasks", _answer_describe)


def _answer_describe(self: Any) -> Any:
    found = []
    failures = []
    for wanted in self._get_param("tasks", []):
        try:
            found.append(describe_task(find_task(self.ecs_backend, self._get_param("cluster", "default"), wanted)))
        except InvalidParameterException:
            failures.append({"arn": wanted, "reason": "MISSING"})
    return ActionResult({"tasks": found, "failures": failures})


def find_task(backend: Any, cluster: str, task: str) -> FargateTask:
    """By id or ARN. Raises InvalidParameterException, or ClusterNotFoundException."""
    tasks: dict[str, FargateTask] = backend.tasks.get(backend._get_cluster(cluster or "default").name, {})
    identifier = task.rpartition("/")[2]
    for arn, candidate in tasks.items():
        if arn.rpartition("/")[2] == identifier:
            return candidate
    raise InvalidParameterException("The referenced task was not found.")


def describe_task(task: FargateTask) -> dict[str, Any]:
    """A task at one moment, named as the ECS API names things, times as datetimes; what is not known is left out."""
    with task.lock:
        facts = _describe_facts(task)
        times = {_camel(name): getattr(task, name) for name in _TIMES}
    return {name: value for name, value in {**facts, **times}.items() if value is not None}


def _describe_facts(task: FargateTask) -> dict[str, Any]:
    return {
        "attachments": task.attachments,
        "availabilityZone": task.availability_zone,
        "clusterArn": task.cluster_arn,
        "connectivity": task.connectivity,
        "containers": [_describe_container(task, container) for container in task.containers],
        "cpu": task.cpu,
        "desiredStatus": task.desired_status,
        "executionStoppedAt": task.execution_stopped_at,
        "group": task.group,
        "lastStatus": task.last_status,
        "launchType": task.launch_type or "FARGATE",
        "memory": task.memory,
        "overrides": task.overrides,
        "platformVersion": task.platform_version,
        "startedBy": task.started_by,
        "stopCode": task.stop_code,
        "stoppedReason": task.stopped_reason,
        "tags": task.tags,
        "taskArn": task.task_arn,
        "taskDefinitionArn": task.task_definition_arn,
        "version": task.version,
    }


def _describe_container(task: FargateTask, container: Any) -> dict[str, Any]:
    facts = {
        "containerArn": container.container_arn,
        "cpu": str(container.cpu),
        "exitCode": container.exitCode,
        "image": container.image,
        "lastStatus": container.last_status,
        "name": container.name,
        "networkInterfaces": container.network_interfaces,
        "reason": container.reason,
        "taskArn": task.task_arn,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
