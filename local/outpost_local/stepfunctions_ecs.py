"""Step Functions' ECS integration, which moto has only the outline of: names, .sync, failures, the stop at an abort."""

import copy
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import ListShape, Shape, StructureShape
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_ecs import (
    StateTaskServiceEcs,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from outpost_local.ecs_tasks import FargateTask, describe_task
from outpost_local.fargate import Fargate
from outpost_local.patching import Patches

_POLL_SECONDS = 0.1
_MAX_CAUSE = 32_768
_PARAMETERS = frozenset(
    {
        "CapacityProviderStrategy",
        "Cluster",
        "EnableExecuteCommand",
        "Group",
        "LaunchType",
        "NetworkConfiguration",
        "Overrides",
        "PlacementConstraints",
        "PlacementStrategy",
        "PlatformVersion",
        "PropagateTags",
        "Tags",
        "TaskDefinition",
    }
)


@dataclass(frozen=True)
class EcsFailure:
    """An error name and cause, as a state's Retry and Catch see them."""

    error: str
    cause: str


def bridge_ecs_tasks(patches: Patches, fargate: Fargate, ecs: Any) -> None:
    """Until the patches are undone, ecs:runTask and ecs:runTask.sync work as on AWS. `ecs` is a boto3 client."""
    run_task_input = ecs.meta.service_model.operation_model("RunTask").input_shape

    def run(self: Any, env: Any, normalised_parameters: dict[str, Any], **_: Any) -> None:
        request = rename_members(normalised_parameters, run_task_input)
        try:
            answer = ecs.run_task(**request)
        except ClientError as error:
            raise _failure(self, env, _name_client_error(error)) from error
        if answer["failures"]:
            cause = json.dumps({"Failures": to_pascal(answer["failures"]), "Tasks": []})
            raise _failure(self, env, EcsFailure("AmazonECS.Unknown", cause))
        tasks = [fargate.find_task(task["taskArn"]) for task in answer["tasks"]]
        env.stack.append({"Failures": [], "Tasks": [to_pascal(describe_task(task)) for task in tasks]})

    def follow(self: Any, env: Any, **_: Any) -> Any:
        task = fargate.find_task(env.stack.pop()["Tasks"][0]["TaskArn"])
        while not fargate.await_stopped(task.task_arn, _POLL_SECONDS):
            if not env.is_running():
                fargate.stop_task(task, "UserInitiated", _describe_abort(env))
                raise EvalTimeoutError
        failure = find_task_failure(task)
        if failure is not None:
            raise _failure(self, env, failure)
        return to_pascal(describe_task(task))

    patches.set_attribute(StateTaskServiceEcs, "_get_supported_parameters", lambda _: set(_PARAMETERS))
    patches.set_attribute(StateTaskServiceEcs, "_eval_service_task", run)
    patches.set_attribute(StateTaskServiceEcs, "_build_sync_resolver", _keep_submitted)
    patches.set_attribute(StateTaskServiceEcs, "_eval_sync", follow)


def _keep_submitted(*_: Any, **__: Any) -> None:
    """The submitted task stays on the stack for whoever follows it."""


def find_task_failure(task: FargateTask) -> EcsFailure | None:
    """Of a stopped task: States.TaskFailed unless every container ended with exit code 0."""
    document = to_pascal(describe_task(task))
    if all(container.get("ExitCode") == 0 for container in document["Containers"]):
        return None
    cause = json.dumps(document, separators=(",", ":"))
    return EcsFailure(StatesErrorNameType.StatesTaskFailed.to_name(), cause[:_MAX_CAUSE])


def rename_members(value: Any, shape: Shape) -> Any:
    """PascalCase names turned into the service's own, after its model; unknown ones stay, for the service to refuse."""
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [rename_members(item, shape.member) for item in value]
    if not isinstance(shape, StructureShape) or not isinstance(value, dict):
        return copy.deepcopy(value)
    members = {name.lower(): name for name in shape.members}
    named = {members.get(key.lower(), key): item for key, item in value.items()}
    return {
        name: rename_members(item, shape.members[name]) if name in shape.members else item
        for name, item in named.items()
    }


def to_pascal(value: Any) -> Any:
    """A service's answer as Step Functions shows it: PascalCase, times in milliseconds."""
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: to_pascal(item) for name, item in value.items()}
    if isinstance(value, list):
        return [to_pascal(item) for item in value]
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value


def _name_client_error(error: ClientError) -> EcsFailure:
    code = error.response["Error"]["Code"]
    name = code if code.endswith("Exception") else f"{code}Exception"
    request_id = error.response["ResponseMetadata"].get("RequestId", "")
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    message = error.response["Error"]["Message"]
    cause = f"{message} (Service: AmazonECS; Status Code: {status}; Error Code: {code}; Request ID: {request_id})"
    return EcsFailure(f"ECS.{name}", cause)


def _describe_abort(env: Any) -> str:
    execution = env.states.context_object.context_object_data["Execution"]["Id"]
    return f"The Task state in AWS Step Functions execution [{execution}] which was managing this resource was aborted."


def _failure(task_state: Any, env: Any, failure: EcsFailure) -> FailureEventException:
    is_task_failed = failure.error == StatesErrorNameType.StatesTaskFailed.to_name()
    name = (
        StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed) if is_task_failed else CustomErrorName(failure.error)
    )
    details = TaskFailedEventDetails(
        error=failure.error,
        cause=failure.cause,
        resource=task_state._get_sfn_resource(),
        resourceType=task_state._get_sfn_resource_type(),
    )
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=name,
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails=details),
        )
    )
