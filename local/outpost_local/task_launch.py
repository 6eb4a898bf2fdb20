"""What to start for a task: its command, its environment, and where its output goes."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outpost_local.ecs_tasks import FargateTask
from outpost_local.isolation import Isolation
from outpost_local.task_process import TaskCommand

_DEFAULT_STOP_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class TaskImage:
    """What stands in for the container images: a command, its import path, and where the agents' command lines are."""

    command: tuple[str, ...]
    python_path: tuple[Path, ...]
    search_path: tuple[Path, ...]


def runner_image(project: Path) -> TaskImage:
    """The runner, as the images have it, from the project's own sources, and what `make agents` has installed."""
    command = (sys.executable, "-s", "-P", "-m", "outpost_runner")
    return TaskImage(command, (project / "agents",), (project / ".agents" / "bin",))


def plan_command(
    task: FargateTask, image: TaskImage, isolation: Isolation, folder: Path, metadata_uri: str
) -> TaskCommand:
    """Exactly the variables of the task, and what an image and Fargate set; nothing of this process's own."""
    container = _find_container(task)
    override: dict[str, Any] = next(
        (item for item in task.overrides.get("containerOverrides", []) if item.get("name") == task.container_name), {}
    )
    for name in ("home", "root"):
        (folder / name).mkdir(mode=0o700)
    place = isolation.place or folder
    environment = {
        "PATH": os.pathsep.join([*map(str, image.search_path), os.environ.get("PATH", os.defpath)]),
        "HOME": str(place / "home"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(str(path) for path in image.python_path),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OUTPOST_TASK_ROOT": str(place / "root"),
        "ECS_CONTAINER_METADATA_URI_V4": metadata_uri,
        **({} if isolation.agent_user is None else {"AGENT_USER": isolation.agent_user}),
    }
    for variable in [*container.get("environment", []), *override.get("environment", [])]:
        environment[str(variable["name"])] = str(variable["value"])
    # As Docker does it: a command goes to the image's own entry point, unless there is another one.
    command = override.get("command") or container.get("command") or []
    arguments = [*(container.get("entryPoint") or image.command), *command]
    return TaskCommand([str(argument) for argument in arguments], environment, folder, place / "root")


def find_log_destination(task: FargateTask) -> tuple[str, str]:
    """Group and stream, as awslogs names it: prefix/container/task."""
    options = _find_container(task)["logConfiguration"]["options"]
    return options["awslogs-group"], f"{options['awslogs-stream-prefix']}/{task.container_name}/{task.id}"


def find_stop_timeout(task: FargateTask) -> float:
    return float(_find_container(task).get("stopTimeout", _DEFAULT_STOP_TIMEOUT_SECONDS))


def describe_metadata(task: FargateTask) -> dict[str, Any]:
    family, _, revision = task.task_definition_arn.rpartition("/")[2].partition(":")
    container = task.containers[0]
    return {
        "Cluster": task.cluster_arn,
        "TaskARN": task.task_arn,
        "Family": family,
        "Revision": revision,
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "LaunchType": "FARGATE",
        "AvailabilityZone": task.availability_zone,
        "Containers": [
            {
                "Name": container.name,
                "Image": container.image,
                "DesiredStatus": "RUNNING",
                "KnownStatus": "RUNNING",
                "ContainerARN": container.container_arn,
                "Labels": {"com.amazonaws.ecs.task-arn": task.task_arn, "com.amazonaws.ecs.cluster": task.cluster_arn},
            }
        ],
    }


def _find_container(task: FargateTask) -> dict[str, Any]:
    definition: dict[str, Any] = task.task_definition.container_definitions[0]
    return definition
