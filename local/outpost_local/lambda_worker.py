"""The processes that functions run in: one that has the libraries loaded, and its forks, the execution environments.

Lambda never gives an environment two events at a time, and the libraries count on it; threads of one process would mix
requests up. A fork of a process that has imported everything costs a few milliseconds.
"""

import importlib
import json
import os
import signal
import socket
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Any, NoReturn

from botocore.client import BaseClient

_PRELOADED = (
    "boto3",
    "botocore.signers",
    "aws_lambda_powertools",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.event_handler.openapi.params",
    "aws_lambda_powertools.metrics",
    "pydantic",
)

_TRANSACTION_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


@dataclass(frozen=True)
class LambdaContext:
    """What a handler gets beside its event."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    aws_request_id: str
    log_group_name: str
    log_stream_name: str
    deadline: float
    function_version: str = "$LATEST"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.time()) * 1000))


def main() -> None:
    """Fork an environment for every socket and line that standard input, itself a socket, brings, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for name in _PRELOADED:
        importlib.import_module(name)
    with socket.socket(fileno=os.dup(0)) as control:
        while (received := socket.recv_fds(control, 1, 1))[0]:
            wanted = json.loads(_read_line(control))
            with socket.socket(fileno=received[1][0]) as connection:
                if os.fork() == 0:
                    control.close()
                    _run_environment(wanted, connection)


def _read_line(control: socket.socket) -> bytes:
    """Byte by byte: what is behind the line belongs to the next socket."""
    line = bytearray()
    while not line.endswith(b"\n"):
        line += control.recv(1) or b"\n"
    return bytes(line)


def _run_environment(wanted: dict[str, Any], connection: socket.socket) -> NoReturn:
    """Never returns: what the parent process has on its stack is not this process's to unwind."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _redirect_output(wanted["log"])
        os.environ.clear()
        os.environ.update(wanted["environment"])
        time.tzset()
        _serve(wanted, connection)
        status = 0
    finally:
        sys.stdout.flush()
        os._exit(status)


def _redirect_output(path: str) -> None:
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in [(nothing, 0), (log, 1), (log, 2)]:
        os.dup2(source, target)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]


def _serve(wanted: dict[str, Any], connection: socket.socket) -> None:
    calls: list[list[Any]] = []
    _record_calls(calls)
    sys.path[:0] = wanted["path"]
    with connection.makefile("rw", encoding="utf-8") as stream:
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        handler, failure = _load_handler(wanted["handler"])
        for line in stream:
            answer = failure or _handle(handler, json.loads(line))
            stream.write(json.dumps({**answer, "calls": calls}) + "\n")
            stream.flush()
            calls.clear()


def _record_calls(calls: list[list[Any]]) -> None:
    make_call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def record(client: Any, operation: str, parameters: Any) -> Any:
        calls.append([client.meta.service_model.service_name, operation, _accesses(operation, parameters)])
        return make_call(client, operation, parameters)

    BaseClient._make_api_call = record  # type: ignore[attr-defined]


def _accesses(operation: str, parameters: dict[str, Any]) -> list[list[str]]:
    """What IAM judges: an action with its table or secret, one for each write of a transaction and for its tags."""
    if operation == "TransactWriteItems":
        writes = [(kind, write) for item in parameters["TransactItems"] for kind, write in item.items()]
        return [[_TRANSACTION_ACTIONS[kind], write["TableName"]] for kind, write in writes]
    if operation == "CreateSecret":
        return [[action, parameters["Name"]] for action in ("CreateSecret", "TagResource")]
    return [[operation, str(parameters.get("TableName") or parameters.get("SecretId", ""))]]


def _load_handler(dotted: str) -> tuple[Any, dict[str, Any] | None]:
    module, _, name = dotted.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name), None
    except Exception as error:  # noqa: BLE001 - whatever a module raises at import is its function's answer
        return None, _describe_error(error, "")


def _handle(handler: Any, request: dict[str, Any]) -> dict[str, Any]:
    context = LambdaContext(**request["context"])
    try:
        answer = handler(request["event"], context)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is its function's answer
        return _describe_error(error, context.aws_request_id)
    try:
        return {"payload": json.dumps(answer), "failed": False}
    except TypeError as error:
        return _describe_error(error, context.aws_request_id, "Runtime.MarshalError")
    finally:
        sys.stdout.flush()


def _describe_error(error: Exception, request_id: str, error_type: str | None = None) -> dict[str, Any]:
    lines = traceback.format_exception(error)
    print("[ERROR] " + "".join(lines), file=sys.stderr)  # noqa: T201 - standard error is the function's log
    document = {
        "errorMessage": str(error),
        "errorType": error_type or type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }
    return {"payload": json.dumps(document), "failed": True}


if __name__ == "__main__":
    main()
