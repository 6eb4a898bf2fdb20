"""The tasks of runs in ECS."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from outpost.adapters.aws import error_code, unavailable_if_it_fails
from outpost.adapters.task_payload import read_task
from outpost.domain.outcome import TaskState
from outpost.ports import AliveTasks
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import ListTasksRequestTypeDef

REASON_CHARACTERS = 255
TASKS_PER_LIST = 100
LISTS = 20


class EcsTasks:
    """Tasks in the deployment's cluster."""

    def __init__(self, client: "ECSClient", settings: Settings) -> None:
        self._client = client
        self._cluster = settings.cluster_arn

    def describe(self, task_arn: str) -> TaskState | None:
        found = self._describe([task_arn])
        return found[0] if found else None

    def stop(self, task_arn: str, reason: str) -> None:
        with unavailable_if_it_fails():
            try:
                self._client.stop_task(cluster=self._cluster, task=task_arn, reason=reason[:REASON_CHARACTERS])
            except ClientError as error:
                # ECS answers so for a task that it has forgotten, which has stopped.
                if error_code(error) != "InvalidParameterException":
                    raise

    def alive(self) -> AliveTasks:
        found: list[TaskState] = []
        request: ListTasksRequestTypeDef = {
            "cluster": self._cluster,
            "desiredStatus": "RUNNING",
            "maxResults": TASKS_PER_LIST,
        }
        for _ in range(LISTS):
            with unavailable_if_it_fails():
                answer = self._client.list_tasks(**request)
            found.extend(self._describe(answer["taskArns"]) if answer["taskArns"] else ())
            if "nextToken" not in answer:
                return AliveTasks(tuple(found), is_complete=True)
            request["nextToken"] = answer["nextToken"]
        return AliveTasks(tuple(found), is_complete=False)

    def _describe(self, task_arns: list[str]) -> tuple[TaskState, ...]:
        with unavailable_if_it_fails():
            answer = self._client.describe_tasks(cluster=self._cluster, tasks=task_arns)
        states = (read_task(task) for task in answer["tasks"])
        return tuple(state for state in states if state is not None)
