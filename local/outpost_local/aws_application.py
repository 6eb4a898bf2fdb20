"""What stands in front of moto's web application: ordered faults, the Lambda API, one writer at a time, S3's checks."""

import json
import logging
import threading
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any
from urllib.parse import unquote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from outpost_local.faults import Fault, Faults
from outpost_local.invocation import FunctionNotFound, Invocation
from outpost_local.presigned import PresignedRequest, Refusal, check_presigned

InvokeFunction = Callable[[str, Any], Invocation]
Watcher = Callable[[str, bytes], None]

_LOG = logging.getLogger("outpost.local.aws")
_INVOKE_PREFIX = "/2015-03-31/functions/"
_S3_OPERATIONS = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}


class AwsApplication:
    """A WSGI application around moto's."""

    def __init__(
        self,
        moto: WSGIApplication,
        faults: Faults,
        watchers: list[Watcher],
        invoke_function: InvokeFunction,
        secret_access_key: str,
    ) -> None:
        self._moto = moto
        self._faults = faults
        self._watchers = watchers
        self._invoke_function = invoke_function
        self._secret_access_key = secret_access_key
        # moto reads and then writes without locks; two conditional writes could both win. Services that answer
        # from memory are therefore asked one request at a time.
        self._one_at_a_time = threading.RLock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(_INVOKE_PREFIX):
            return self._answer_invoke(path, environ, start_response)
        body = _read_body(environ)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        operation = target.rpartition(".")[2] or _find_s3_operation(environ)
        fault = self._faults.take(operation)
        if fault is not None and not fault.after_effect:
            return _answer_fault(fault, target, start_response)
        refusal = None if target else self._check_presigned(environ, body)
        if refusal is not None:
            return _answer(start_response, f"{refusal.status} Refused", "application/xml", refusal.document.encode())
        start = start_response if fault is None else _ignore_start
        answer = self._ask_moto(environ, start, (operation, body) if target else None)
        return answer if fault is None else _answer_fault(fault, target, start_response)

    def _ask_moto(
        self, environ: WSGIEnvironment, start_response: StartResponse, serialized: tuple[str, bytes] | None
    ) -> Iterable[bytes]:
        try:
            if serialized is None:
                return self._moto(environ, start_response)
            with self._one_at_a_time:
                return self._ask_and_tell(environ, start_response, serialized)
        except Exception as error:  # noqa: BLE001 - whatever moto trips over is an answer here
            _LOG.exception("moto failed on %s", environ.get("HTTP_X_AMZ_TARGET") or environ["PATH_INFO"])
            body = json.dumps({"__type": "InternalFailure", "message": f"{type(error).__name__}: {error}"})
            return _answer(start_response, "500 Internal Server Error", "application/x-amz-json-1.0", body.encode())

    def _ask_and_tell(
        self, environ: WSGIEnvironment, start_response: StartResponse, asked: tuple[str, bytes]
    ) -> list[bytes]:
        """The answer; who watches is told of what was done, before anything else is."""
        statuses: list[str] = []

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            statuses.append(status)
            return start_response(status, headers, exc_info)

        answer = list(self._moto(environ, start))
        if statuses and statuses[-1].startswith("200"):
            for watch in self._watchers:
                watch(*asked)
        return answer

    def _check_presigned(self, environ: WSGIEnvironment, body: bytes) -> Refusal | None:
        raw_path = str(environ.get("RAW_URI") or environ["PATH_INFO"])
        query = str(environ.get("QUERY_STRING", ""))
        request = PresignedRequest(environ["REQUEST_METHOD"], raw_path, query, _headers_of(environ))
        return check_presigned(request, body, self._secret_access_key)

    def _answer_invoke(self, path: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        name = unquote(path.removeprefix(_INVOKE_PREFIX).removesuffix("/invocations"))
        try:
            invocation = self._invoke_function(name, json.loads(_read_body(environ) or b"{}"))
        except FunctionNotFound as error:
            body = json.dumps({"Type": "User", "Message": str(error)}).encode()
            headers = [("x-amzn-ErrorType", "ResourceNotFoundException")]
            return _answer(start_response, "404 Not Found", "application/json", body, headers)
        failed = [("X-Amz-Function-Error", "Unhandled")] if invocation.failed else []
        headers = [("X-Amz-Executed-Version", "$LATEST"), *failed]
        return _answer(start_response, "200 OK", "application/json", invocation.payload.encode(), headers)


def _read_body(environ: WSGIEnvironment) -> bytes:
    """The whole body, put back for the next reader; a connection that is kept open must not keep a rest of it."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    if length:
        environ["wsgi.input"] = BytesIO(body)
    return body


def _headers_of(environ: WSGIEnvironment) -> dict[str, str]:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return headers | {
        "content-type": str(environ.get("CONTENT_TYPE", "")),
        "content-length": str(environ.get("CONTENT_LENGTH", "")),
    }


def _find_s3_operation(environ: WSGIEnvironment) -> str:
    is_object = len(environ.get("PATH_INFO", "").strip("/").split("/", 1)) > 1
    return _S3_OPERATIONS.get(environ["REQUEST_METHOD"], "") if is_object else ""


def _ignore_start(*_: Any) -> Callable[[bytes], object]:
    return lambda _: None


def _answer_fault(fault: Fault, target: str, start_response: StartResponse) -> Iterable[bytes]:
    status = f"{fault.status} Fault"
    if target:
        body = json.dumps({"__type": fault.code, "message": fault.message}).encode()
        return _answer(start_response, status, "application/x-amz-json-1.0", body)
    xml = f"<Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>"
    return _answer(start_response, status, "application/xml", xml.encode())


def _answer(
    start_response: StartResponse,
    status: str,
    content_type: str,
    body: bytes,
    headers: list[tuple[str, str]] | None = None,
) -> Iterable[bytes]:
    start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body))), *(headers or [])])
    return [body]
