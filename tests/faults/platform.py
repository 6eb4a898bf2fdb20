"""The real handlers on the template's tables in an embedded AWS, every call of theirs through an injector."""

import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from unittest import mock

from aws_lambda_powertools import Logger
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError
from deployment import ACCOUNT, REGION, Deployment, deploy, embedded_aws
from functions import LambdaContext, load_function
from moto.dynamodb.models import dynamodb_backends
from ulid import ULID

from .injection import Injector, ProcessDied
from .timeline import VirtualClock

FUNCTIONS = ("dispatch", "broker", "finish", "sweep", "operate")
REMEMBERING = ("signing_key", "api_keys", "watched_deployment")
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "POWERTOOLS_SERVICE_NAME": "outpost",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
Item = dict[str, Any]


class FunctionFailed(Exception):
    """An invocation ended without an answer; `name` is the error's, as Step Functions sees it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class NoAnswer(Exception):
    """A caller of a function got nothing that it could use; `name` is what Step Functions calls it."""

    def __init__(self, name: str = "Lambda.SdkClientException") -> None:
        super().__init__(name)
        self.name = name


@dataclass
class CountedIdentifiers:
    """ULIDs that are the same in every run of a scenario."""

    made: int = 0

    def new(self, at: Any) -> str:
        self.made += 1
        return str(ULID.from_bytes(int(at.timestamp() * 1000).to_bytes(6, "big") + self.made.to_bytes(10, "big")))


# Answers a call of Step Functions or ECS: operation, parameters -> answer.
Service = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass
class Platform:
    """The functions, and what they can reach; `begin` makes everything as new."""

    deployment: Deployment
    functions: dict[str, ModuleType]
    log: io.StringIO
    injector: Injector = field(default_factory=Injector)
    services: dict[str, Service] = field(default_factory=dict)
    on_write: Callable[[], None] = lambda: None
    _function: str | None = None

    def begin(self, injector: Injector, clock: VirtualClock, services: dict[str, Service]) -> None:
        self.injector, self.services, self.on_write = injector, services, lambda: None
        identifiers = CountedIdentifiers()
        for module in self.functions.values():
            module.wiring.clock = clock
            module.wiring.identifiers = identifiers
            # As in a new environment: what a process reads once is read again.
            module.wiring.full_tenants.clear()
            for port in REMEMBERING:
                vars(module.wiring).pop(port, None)
        self.empty()
        self.log.seek(0)
        self.log.truncate()

    def empty(self) -> None:
        """Nothing in any table."""
        for table in self._tables().values():
            table.items.clear()

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """The handler's answer. Raises FunctionFailed."""
        self._function = function
        try:
            with redirect_stdout(self.log), warnings.catch_warnings():
                # What ends before it has counted anything has no metrics; Powertools warns of that.
                warnings.filterwarnings("ignore", "No application metrics to publish")
                answer: dict[str, Any] = self.functions[function].handler(event, LambdaContext())
        except ProcessDied:
            raise FunctionFailed("Lambda.Unknown") from None
        except Exception as error:
            raise FunctionFailed(type(error).__name__) from error
        finally:
            self._function = None
        return answer

    def make_tenant(self, tenant_id: str, **plan: object) -> str:
        """Its API key."""
        return str(self.operate("create-tenant", tenantId=tenant_id, name="Acme", plan=plan)["apiKey"])

    def operate(self, operation: str, **fields: Any) -> dict[str, Any]:
        """What an operator does. This is not part of any scenario: its calls are no injection points."""
        with redirect_stdout(self.log):
            answer = self.functions["operate"].handler({"operation": operation, **fields}, LambdaContext())
        data: dict[str, Any] = answer["data"]
        return data

    def items(self, table: str) -> list[Item]:
        """All of a table, read beside the injector, in DynamoDB's own form."""
        rows = self._tables()[table].items.values()
        return [
            item.to_json()["Attributes"] for row in rows for item in (row.values() if isinstance(row, dict) else [row])
        ]

    def _tables(self) -> dict[str, Any]:
        found: dict[str, Any] = dynamodb_backends[ACCOUNT][REGION].tables
        return found

    def call_aws(self, original: Callable[..., Any], client: BaseClient, operation: str, parameters: Any) -> Any:
        service = client.meta.service_model.service_name
        if self._function is None:
            return original(client, operation, parameters)

        def effect() -> Any:
            if service in self.services:
                return self.services[service](operation, parameters)
            answer = original(client, operation, parameters)
            if operation in ("TransactWriteItems", "UpdateItem", "PutItem", "DeleteItem"):
                self.on_write()
            return answer

        failure = {"Error": {"Code": "InternalServerError", "Message": "injected"}}
        return self.injector.make(
            self._function,
            f"{service}.{operation}",
            effect,
            refused=ClientError(failure, operation),
            lost=ReadTimeoutError(endpoint_url="https://injected.example.com"),
            is_of_a_function=True,
        )


@contextmanager
def open_platform() -> Iterator[Platform]:
    """A platform; while it is open, every AWS call of its functions passes its injector."""
    with mock.patch.dict(os.environ, ENVIRONMENT), embedded_aws():
        deployment = deploy()
        os.environ.update({name.upper(): str(value) for name, value in vars(deployment.settings).items()})
        log = io.StringIO()
        with redirect_stdout(log):
            platform = Platform(deployment, {name: load_function(name) for name in FUNCTIONS}, log)
        original = BaseClient._make_api_call
        with (
            _logs_into(log),
            mock.patch.object(BaseClient, "_make_api_call", lambda *call: platform.call_aws(original, *call)),
        ):
            yield platform


@contextmanager
def _logs_into(log: io.StringIO) -> Iterator[None]:
    """Also where another test has made the logger before, with a stream of its own."""
    handler = logging.StreamHandler(log)
    handler.setFormatter(Logger().registered_formatter)
    logger = logging.getLogger("outpost")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
