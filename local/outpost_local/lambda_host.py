"""Runs the template's functions as Lambda does: each event in an environment of its own, up to the timeout."""

import json
import secrets
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from outpost_local.invocation import FunctionNotFound, Invocation
from outpost_local.lambda_environments import EnvironmentGone, ExecutionEnvironment, Zygote
from outpost_local.lambda_worker import LambdaContext

_MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
_MAX_ENVIRONMENTS = 10


@dataclass(frozen=True)
class LambdaFunction:
    """A function of the template, with its settings resolved."""

    logical_id: str
    name: str
    arn: str
    folder: Path
    handler: str
    timeout_seconds: float
    memory_mb: int
    log_group: str
    environment: dict[str, str]


@dataclass(frozen=True)
class RecordedCall:
    """An AWS call that a function made; `accesses` are the (action, table or secret) pairs that IAM judges."""

    function: str
    service: str
    operation: str
    accesses: tuple[tuple[str, str], ...]


class LambdaHost:
    """Invokes functions by logical id, name or ARN."""

    def __init__(self, functions: Iterable[LambdaFunction], zygote: Zygote) -> None:
        self._pools = {function.logical_id: _Pool(function, zygote) for function in functions}
        self._calls: list[RecordedCall] = []
        self._lock = threading.Lock()

    @property
    def calls(self) -> list[RecordedCall]:
        """Every AWS call that functions have made, in the order in which their invocations ended."""
        with self._lock:
            return list(self._calls)

    @property
    def functions(self) -> list[LambdaFunction]:
        return [pool.function for pool in self._pools.values()]

    def warm_up(self) -> None:
        """Start an environment of each function, so that the first event does not wait for imports."""
        for pool in self._pools.values():
            pool.add_idle()

    def invoke(self, reference: str, event: Any) -> Invocation:
        """Raises FunctionNotFound. An error of the function is an answer, not an exception."""
        pool = self._find_pool(reference)
        document = json.dumps(event)
        if len(document) > _MAX_PAYLOAD_BYTES:
            return _failed("RequestEntityTooLargeException", f"The event has {len(document)} bytes.")
        answer = pool.run(document)
        with self._lock:
            self._calls += [
                RecordedCall(pool.function.logical_id, service, operation, tuple((a, t) for a, t in accesses))
                for service, operation, accesses in answer.get("calls", [])
            ]
        if len(answer["payload"]) > _MAX_PAYLOAD_BYTES:
            size = len(answer["payload"])
            return _failed("Function.ResponseSizeTooLarge", f"Response payload size ({size} bytes) exceeded 6291556.")
        return Invocation(answer["payload"], answer["failed"])

    def _find_pool(self, reference: str) -> "_Pool":
        name = reference.split(":function:", 1)[-1].split(":", 1)[0]
        for pool in self._pools.values():
            if name in {pool.function.logical_id, pool.function.name}:
                return pool
        raise FunctionNotFound(f"Function not found: {reference}")

    def stop(self) -> None:
        for pool in self._pools.values():
            pool.stop()


class _Pool:
    """The execution environments of one function."""

    def __init__(self, function: LambdaFunction, zygote: Zygote) -> None:
        self.function = function
        self._zygote = zygote
        self._idle: list[ExecutionEnvironment] = []
        self._busy: set[ExecutionEnvironment] = set()
        self._places = threading.BoundedSemaphore(_MAX_ENVIRONMENTS)
        self._lock = threading.Lock()

    def add_idle(self) -> None:
        environment = self._start_environment()
        with self._lock:
            self._idle.append(environment)

    def run(self, document: str) -> dict[str, Any]:
        with self._places:
            with self._lock:
                environment = self._idle.pop() if self._idle else None
            environment = environment or self._start_environment()
            with self._lock:
                self._busy.add(environment)
            try:
                return self._run_in(environment, document)
            finally:
                with self._lock:
                    self._busy.discard(environment)
                    if environment.usable:
                        self._idle.append(environment)

    def _run_in(self, environment: ExecutionEnvironment, document: str) -> dict[str, Any]:
        request_id = str(uuid.uuid4())
        timeout = self.function.timeout_seconds
        context = LambdaContext(
            function_name=self.function.name,
            invoked_function_arn=self.function.arn,
            memory_limit_in_mb=str(self.function.memory_mb),
            aws_request_id=request_id,
            log_group_name=self.function.log_group,
            log_stream_name=environment.log_stream,
            deadline=time.time() + timeout,
        )
        request = f'{{"context": {json.dumps(asdict(context))}, "event": {document}}}'
        try:
            return environment.ask(request, timeout)
        except TimeoutError:
            environment.kill()
            message = f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds"
            return asdict(_failed("Sandbox.Timedout", message))
        except EnvironmentGone:
            environment.kill()
            message = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
            return asdict(_failed("Runtime.ExitError", message))

    def _start_environment(self) -> ExecutionEnvironment:
        function = self.function
        stream = f"{time.strftime('%Y/%m/%d')}/[$LATEST]{secrets.token_hex(16)}"
        variables = function.environment | {
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "LAMBDA_TASK_ROOT": str(function.folder),
            "_HANDLER": function.handler,
        }
        return self._zygote.start_environment(function.folder, function.handler, variables, stream)

    def stop(self) -> None:
        with self._lock:
            environments = [*self._idle, *self._busy]
            self._idle.clear()
        for environment in environments:
            environment.kill()


def _failed(error_type: str, message: str) -> Invocation:
    return Invocation(json.dumps({"errorType": error_type, "errorMessage": message}), failed=True)
