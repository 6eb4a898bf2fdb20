"""The whole stack on this machine: starts every part in order, and stops them all whatever happens."""

import contextlib
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from outpost_local.api_routes import RouteTable
from outpost_local.cloudformation import Deployment, deploy_template
from outpost_local.ecs_tasks import bridge_tasks
from outpost_local.embedded_aws import REGION, EmbeddedAws
from outpost_local.events import EventPump
from outpost_local.executions import bridge_executions, stop_executions
from outpost_local.fargate import Fargate
from outpost_local.gateway import Gateway, GatewayApplication
from outpost_local.gateway_responses import GatewayResponses
from outpost_local.home import make_home, remove_abandoned_homes, remove_home
from outpost_local.invocation import Invocation
from outpost_local.isolation import choose_isolation
from outpost_local.lambda_environments import Zygote
from outpost_local.lambda_host import LambdaHost, RecordedCall
from outpost_local.stepfunctions_bridge import bridge_interpreter
from outpost_local.stepfunctions_ecs import bridge_ecs_tasks
from outpost_local.streams import StreamPump
from outpost_local.task_launch import runner_image
from outpost_local.template import Template, read_template
from outpost_local.wiring import (
    find_failure_queues,
    find_functions,
    find_mappings,
    find_rules,
    find_schedules,
    find_stage,
)

TENANT_ID = "local"


# moto keeps its state in the process, so a second stack would share it with the first.
_only_stack = threading.Lock()


class StackAlreadyRunning(Exception):
    """This process has a local stack up already."""


class ParameterUnknown(ValueError):
    """The template has no parameter of this name."""


class FunctionFailed(Exception):
    """A function answered with an error; its document is the message."""


@dataclass(frozen=True)
class LostEvent:
    """An event that its function failed on every time, and that no queue was there for."""

    function: str
    event: dict[str, Any]
    error: str


class LocalStack:
    """A running stack. Made by `start`; a context manager that stops it."""

    def __init__(self, template: Path, parameters: Mapping[str, str], port: int) -> None:
        if not _only_stack.acquire(blocking=False):
            raise StackAlreadyRunning("This process has a local stack up; stop it first.")
        remove_abandoned_homes()
        home = make_home()
        self.aws = EmbeddedAws(home)
        self.lost_events: list[LostEvent] = []
        self._home = home
        self._cleanup = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._api_key: str | None = None
        self._cleanup.callback(_only_stack.release)
        self._cleanup.callback(remove_home, home)
        self._cleanup.enter_context(_log_to(home / "stack.log"))
        try:
            self._start(template, parameters, port)
        except BaseException:
            self.stop()
            raise

    @classmethod
    def start(cls, template: Path, parameters: Mapping[str, str] | None = None, *, port: int = 0) -> Self:
        """A stack whose API answers on the port of loopback, or on a free one for 0.

        Raises StackAlreadyRunning, ParameterUnknown, OSError for a port that is taken, or what else keeps it from
        starting; nothing is left behind then.
        """
        return cls(template, parameters or {}, port)

    def _start(self, template_path: Path, parameters: Mapping[str, str], port: int) -> None:
        aws = self.aws
        self._cleanup.callback(aws.stop)
        aws.start(self._invoke_function)
        self._gateway = Gateway(port)
        self._cleanup.callback(self._gateway.stop)
        template, values = _read_template(template_path, parameters, self._gateway.url)
        zygote = Zygote(self._home, _function_environment(aws), [*template.layers])
        self._cleanup.callback(zygote.stop)
        self.log_path = zygote.log_path
        self.deployment = deploy_template(template, values, aws)
        self._lambda = LambdaHost(find_functions(template, self.deployment), zygote)
        self._cleanup.callback(self._lambda.stop)
        self._events = EventPump(self._lambda.invoke, self._give_up)
        self._start_compute(template)
        self._failure_queues = find_failure_queues(self.deployment)
        self._events.start(find_rules(self.deployment), find_schedules(self.deployment))
        self._cleanup.callback(self._events.stop)
        streams = StreamPump(aws.client("dynamodbstreams"), self._lambda.invoke)
        self._cleanup.callback(streams.stop)
        streams.start(find_mappings(self.deployment))
        self._lambda.warm_up()
        self._open_gateway(template, self.deployment)

    def _invoke_function(self, name: str, event: Any) -> Invocation:
        return self._lambda.invoke(name, event)

    def _start_compute(self, template: Template) -> None:
        image = runner_image(template.folder)
        isolation = choose_isolation(self._home, [template.folder, *image.python_path])
        self.notes = () if isolation.note is None else (isolation.note,)
        self.fargate = Fargate(
            self._home / "tasks", image, isolation, self.aws.client("logs"), self._publish_task_change
        )
        self._cleanup.callback(self.fargate.stop)
        bridge_tasks(self.aws.patches, self.fargate.launch, self.fargate.stop_task)
        bridge_interpreter(self.aws.patches, self._lambda.invoke)
        bridge_ecs_tasks(self.aws.patches, self.fargate, self.aws.client("ecs"))
        bridge_executions(self.aws.patches, self._publish_execution_change)
        self._cleanup.callback(stop_executions)

    def _open_gateway(self, template: Template, deployment: Deployment) -> None:
        stage = find_stage(deployment, self._gateway.domain_name)
        responses = GatewayResponses(template.gateway_responses)
        self._gateway.open(GatewayApplication(RouteTable(template.routes), responses, stage, self._lambda.invoke))

    @property
    def api_url(self) -> str:
        return self._gateway.url

    @property
    def api_key(self) -> str:
        """Of the tenant "local", which is made when its key is first asked for."""
        with self._lock:
            if self._api_key is None:
                wish = {"operation": "create-tenant", "tenantId": TENANT_ID, "name": "Local"}
                self._api_key = str(self.invoke("OperateFunction", wish)["data"]["apiKey"])
            return self._api_key

    @property
    def calls(self) -> list[RecordedCall]:
        """Every AWS call that functions have made since the start."""
        return self._lambda.calls

    def invoke(self, function: str, event: Any) -> Any:
        """A function's answer. Raises FunctionFailed, and FunctionNotFound."""
        invocation = self._lambda.invoke(function, event)
        return _read_answer(invocation)

    def run_schedule_now(self, logical_id: str) -> Any:
        """Call a schedule's function without waiting for the schedule's time; its answer, as of `invoke`."""
        return _read_answer(self._events.run_schedule(logical_id))

    def stop(self) -> None:
        """Everything that was started ends, in reverse order; may be called again."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _publish_task_change(self, task: dict[str, Any]) -> None:
        self._events.publish("aws.ecs", "ECS Task State Change", task, [task["taskArn"]])

    def _publish_execution_change(self, execution: dict[str, Any]) -> None:
        self._events.publish(
            "aws.states", "Step Functions Execution Status Change", execution, [execution["executionArn"]]
        )

    def _give_up(self, function: str, event: dict[str, Any], error: str) -> None:
        name = function.rpartition(":")[2]
        queue_arn = self._failure_queues.get(name)
        if queue_arn is None:
            with self._lock:
                self.lost_events.append(LostEvent(name, event, error))
            return
        sqs = self.aws.client("sqs")
        url = sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))


@contextlib.contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """What the local parts and moto have to say goes to a file; the terminal belongs to whoever started the stack."""
    handler = logging.FileHandler(path, encoding="utf-8")
    loggers = [logging.getLogger(name) for name in ("outpost.local", "moto", "werkzeug")]
    propagated = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, propagate in zip(loggers, propagated, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagate
        handler.close()


def _read_template(path: Path, parameters: Mapping[str, str], url: str) -> tuple[Template, dict[str, str]]:
    values = dict(parameters)
    template = read_template(path, values, REGION)
    known = template.cloudformation.get("Parameters", {})
    if unknown := sorted(values.keys() - known.keys()):
        raise ParameterUnknown(f"The template has no parameter {', '.join(unknown)}.")
    if "ApiUrl" in known:
        # As with a custom domain: the API's public address is known before the stack is made.
        values.setdefault("ApiUrl", url)
    return template, values


def _function_environment(aws: EmbeddedAws) -> dict[str, str]:
    return {
        **aws.environment,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": "UTC",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    }


def _read_answer(invocation: Invocation) -> Any:
    if invocation.failed:
        raise FunctionFailed(invocation.payload)
    return json.loads(invocation.payload)
