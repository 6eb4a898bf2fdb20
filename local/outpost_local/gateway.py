"""A local API Gateway: HTTP on loopback in front of the functions, by the template's routes."""

import json
import logging
import socket
import threading
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from outpost_local.api_event import ApiAnswer, ApiRequest, ApiStage, MalformedAnswer, build_event, read_answer
from outpost_local.api_routes import RouteTable
from outpost_local.gateway_responses import GatewayResponses
from outpost_local.invocation import Invocation

_KNOWN_STATUSES = frozenset(status.value for status in HTTPStatus)
_MAX_BODY_BYTES = 10 * 1024 * 1024
_INTEGRATION_SECONDS = 29

InvokeFunction = Callable[[str, Any], Invocation]


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002, ARG002 - werkzeug's names
        logging.getLogger("outpost.local.gateway").debug(message, *args)


class Gateway:
    """Has its port from the start (a free one for 0); answers once it is opened. Raises OSError if it is taken."""

    def __init__(self, port: int = 0) -> None:
        self._application: GatewayApplication | None = None
        # werkzeug itself would end the process over a port that is taken.
        with socket.create_server(("127.0.0.1", port)) as listener:
            self._server: BaseWSGIServer = make_server(
                "127.0.0.1",
                listener.getsockname()[1],
                self._answer,
                threaded=True,
                request_handler=_QuietHandler,
                fd=listener.fileno(),
            )
        self._server.daemon_threads = True  # type: ignore[attr-defined] # a threaded werkzeug server has it
        self._thread = threading.Thread(target=self._server.serve_forever, name="gateway", daemon=True)

    @property
    def domain_name(self) -> str:
        return f"127.0.0.1:{self._server.port}"

    @property
    def url(self) -> str:
        return f"http://{self.domain_name}"

    def open(self, application: "GatewayApplication") -> None:
        self._application = application
        self._thread.start()

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._application is None:
            raise RuntimeError("The gateway is not open.")
        answer = self._application.answer(_read_request(environ))
        phrase = HTTPStatus(answer.status).phrase if answer.status in _KNOWN_STATUSES else "Other"
        start_response(f"{answer.status} {phrase}", [*answer.headers, ("Content-Length", str(len(answer.body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timeout=5)
        self._server.server_close()


class GatewayApplication:
    """Which function a request goes to, and what is answered when there is none or it fails."""

    def __init__(
        self, routes: RouteTable, responses: GatewayResponses, stage: ApiStage, invoke_function: InvokeFunction
    ) -> None:
        self._routes = routes
        self._responses = responses
        self._stage = stage
        self._invoke_function = invoke_function

    def answer(self, request: ApiRequest) -> ApiAnswer:
        if len(request.body) > _MAX_BODY_BYTES:
            return self._responses.render("REQUEST_TOO_LARGE", request.request_id)
        match = self._routes.match(request.method, request.raw_path)
        if match is None:
            return self._responses.render("MISSING_AUTHENTICATION_TOKEN", request.request_id)
        event = build_event(request, match, self._stage)
        try:
            invocation = self._invoke(match.route.logical_id, event)
        except FutureTimeoutError:
            return self._responses.render("INTEGRATION_TIMEOUT", request.request_id)
        if invocation.failed:
            too_large = json.loads(invocation.payload).get("errorType") == "RequestEntityTooLargeException"
            return self._responses.render("REQUEST_TOO_LARGE" if too_large else "BAD_GATEWAY", request.request_id)
        try:
            answer = read_answer(invocation.payload)
        except MalformedAnswer:
            return self._responses.render("BAD_GATEWAY", request.request_id)
        return ApiAnswer(answer.status, (*answer.headers, ("x-amzn-RequestId", request.request_id)), answer.body)

    def _invoke(self, function: str, event: dict[str, Any]) -> Invocation:
        """Raises concurrent.futures.TimeoutError; a function that is still at work goes on, as on AWS."""
        future: Future[Invocation] = Future()

        def run() -> None:
            try:
                future.set_result(self._invoke_function(function, event))
            except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
                future.set_exception(error)

        threading.Thread(target=run, name=f"request-{function}", daemon=True).start()
        return future.result(_INTEGRATION_SECONDS)


def _read_request(environ: WSGIEnvironment) -> ApiRequest:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    raw_uri = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"])
    headers = tuple(
        (name.removeprefix("HTTP_").replace("_", "-").title(), str(value))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    )
    content = [
        (n, str(environ[k]))
        for n, k in (("Content-Type", "CONTENT_TYPE"), ("Content-Length", "CONTENT_LENGTH"))
        if environ.get(k)
    ]
    return ApiRequest(
        request_id=str(uuid.uuid4()),
        method=environ["REQUEST_METHOD"],
        raw_path=raw_uri.partition("?")[0],
        query=environ.get("QUERY_STRING", ""),
        headers=(*headers, *content),
        body=environ["wsgi.input"].read(length) if length else b"",
        source_ip=environ.get("REMOTE_ADDR", "127.0.0.1"),
        protocol=environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
    )
