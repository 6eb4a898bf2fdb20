"""A control plane and an object store that answer what a test tells them to, on loopback."""

import base64
import hashlib
import json
import threading
import time
from collections import defaultdict, deque
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from outpost.api.parsing import parse_json
from outpost.api.runner_bodies import ClaimBody, CompleteBody, HeartbeatBody, UploadsBody
from outpost.domain.errors import OutpostError

BOOTSTRAP_TOKEN = "bootstrap-token-of-the-test"
SESSION_TOKEN = "session-token-of-the-test"
NO_CREDENTIALS: dict[str, Any] = {"provider": None, "git": None, "environment": {}, "missing": []}
CLAIM: dict[str, Any] = {
    "sessionToken": SESSION_TOKEN,
    "heartbeatSeconds": 1,
    "timeoutSeconds": 30,
    "stopGraceSeconds": 20,
    "run": {"runId": "01TESTRUN", "agent": "shell", "modelId": "bash", "task": "true", "repo": None, "context": "off"},
    "credentials": NO_CREDENTIALS,
    "models": [],
    "budget": {"maxCostMicrousd": None, "maxTokens": None},
    "limits": {
        "outputBytes": 1_000_000,
        "patchBytes": 5_000_000,
        "artifactBytes": 1_000_000,
        "artifactCount": 10,
        "artifactsTotalBytes": 2_000_000,
        "workspaceBytes": 60_000_000,
    },
}
BODIES = {
    "/runner/claim": ClaimBody,
    "/runner/heartbeat": HeartbeatBody,
    "/runner/uploads": UploadsBody,
    "/runner/complete": CompleteBody,
}


@dataclass(frozen=True)
class Call:
    route: str
    authorization: str
    body: dict[str, Any]
    at: float


@dataclass
class ScriptedPlatform:
    claim: dict[str, Any] = field(default_factory=lambda: deepcopy(CLAIM))
    calls: list[Call] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    # What the store has of earlier runs, by name.
    earlier: dict[str, bytes] = field(default_factory=dict)
    # The names that the store was asked to keep, whatever it answered.
    stored: list[str] = field(default_factory=list)
    # The names of those that it was asked for.
    fetched: list[str] = field(default_factory=list)
    # Answers to give first, by route; then the ordinary ones.
    script: dict[str, deque[Response]] = field(default_factory=lambda: defaultdict(deque))
    # Answers to give always, by route.
    always: dict[str, Response] = field(default_factory=dict)
    # The broker refuses a request for addresses that has one of these types or names in it.
    refused_uploads: set[str] = field(default_factory=set)
    # Seconds to wait before an answer, by route.
    delay_seconds: dict[str, float] = field(default_factory=dict)
    url: str = ""

    def offer(self, content: bytes, name: str = "earlier") -> dict[str, Any]:
        """What a claim says of a stored file with this content."""
        self.earlier[name] = content
        url = f"{self.url}/earlier/{name}?signature=abc%2Fdef"
        return {"url": url, "sha256": hashlib.sha256(content).hexdigest(), "sizeBytes": len(content)}

    def calls_to(self, route: str) -> list[Call]:
        return [call for call in self.calls if call.route == route]

    @property
    def completion(self) -> dict[str, Any]:
        """The last body that /runner/complete got."""
        return self.calls_to("/runner/complete")[-1].body

    @property
    def phases(self) -> list[str]:
        return [call.body["phase"] for call in self.calls_to("/runner/heartbeat")]

    def wait_for_call(self, route: str, seconds: float = 15) -> None:
        ends_at = time.monotonic() + seconds
        while not self.calls_to(route):
            assert time.monotonic() < ends_at, f"{route} was never called"
            time.sleep(0.02)

    def wait_for_upload(self, name: str, seconds: float = 15) -> None:
        ends_at = time.monotonic() + seconds
        while name not in self.stored:
            assert time.monotonic() < ends_at, f"{name} was never uploaded"
            time.sleep(0.02)

    def wait_for_phase(self, phase: str, seconds: float = 15) -> None:
        ends_at = time.monotonic() + seconds
        while phase not in self.phases:
            assert time.monotonic() < ends_at, f"the runner never was {phase}: {self.phases}"
            time.sleep(0.02)

    @Request.application
    def answer(self, request: Request) -> Response:
        if request.path.startswith("/store/"):
            return self._store(request)
        if request.path.startswith("/earlier/"):
            return self._fetch(request)
        route = request.path.removeprefix("/stage")
        body = json.loads(request.get_data() or b"{}")
        self.calls.append(Call(route, request.headers.get("Authorization", ""), body, time.monotonic()))
        time.sleep(self.delay_seconds.get(route, 0))
        if self.script[route]:
            return self.script[route].popleft()
        return self.always.get(route) or self._ordinary_answer(route, body)

    def _ordinary_answer(self, route: str, body: dict[str, Any]) -> Response:
        if not _is_valid(route, body) or (route == "/runner/uploads" and self._is_refused(body)):
            return failure(400, "VALIDATION_ERROR")
        answers = {
            "/runner/claim": lambda: self.claim,
            "/runner/heartbeat": lambda: {"status": "RUNNING"},
            "/runner/uploads": lambda: {"uploads": [self._grant(upload) for upload in body["uploads"]]},
            "/runner/complete": lambda: {"status": "RUNNING"},
            "/metadata/task": dict,
        }
        return success(answers[route]())

    def _is_refused(self, body: dict[str, Any]) -> bool:
        told = {value for upload in body["uploads"] for value in (upload["type"], upload["name"])}
        return not self.refused_uploads.isdisjoint(told)

    def _grant(self, upload: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "Content-Length": str(upload["sizeBytes"]),
            "Content-Type": upload["contentType"],
            "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(upload["sha256"])).decode(),
        }
        url = f"{self.url}/store/{quote(upload['name'])}?signature=abc%2Fdef"
        return {"name": upload["name"], "type": upload["type"], "method": "PUT", "url": url, "headers": headers}

    def _store(self, request: Request) -> Response:
        """As S3 does: the signature must arrive as it was given, and the bytes must be those of the checksum."""
        name = request.path.removeprefix("/store/")
        content = request.get_data()
        self.stored.append(name)
        time.sleep(self.delay_seconds.get(request.path, 0))
        if self.script[request.path]:
            return self.script[request.path].popleft()
        if request.path in self.always:
            return self.always[request.path]
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        if request.headers["x-amz-checksum-sha256"] != checksum or request.query_string != b"signature=abc%2Fdef":
            return Response("BadDigest", 400)
        self.objects[name] = content
        return Response("", 200)

    def _fetch(self, request: Request) -> Response:
        self.fetched.append(request.path.removeprefix("/earlier/"))
        time.sleep(self.delay_seconds.get(request.path, 0))
        if self.script[request.path]:
            return self.script[request.path].popleft()
        if request.path in self.always:
            return self.always[request.path]
        content = self.earlier.get(request.path.removeprefix("/earlier/"))
        if content is None or request.method != "GET" or request.query_string != b"signature=abc%2Fdef":
            return Response("NoSuchKey", 404)
        return Response(content, 200)


def _is_valid(route: str, body: dict[str, Any]) -> bool:
    """By the real broker's own rules."""
    if route not in BODIES:
        return True
    try:
        parse_json(BODIES[route], json.dumps(body))
    except OutpostError:
        return False
    return True


def success(data: object) -> Response:
    return Response(json.dumps({"success": True, "data": data, "meta": {}}), 200, content_type="application/json")


def failure(http_status: int, code: str = "CONFLICT", **details: str) -> Response:
    error = {"code": code, "message": "No.", "remedy": "None.", "retryable": False, "details": details}
    return Response(json.dumps({"success": False, "error": error}), http_status, content_type="application/json")


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Keep silent."""


class PlatformServer:
    def __init__(self, platform: ScriptedPlatform) -> None:
        self.platform = platform
        self._port = 0

    def __enter__(self) -> "PlatformServer":
        self.come_back()
        return self

    def __exit__(self, *error: object) -> None:
        self.go_away()

    def come_back(self) -> None:
        """Serve, at the address that it had before."""
        answer = self.platform.answer
        self._server = make_server("127.0.0.1", self._port, answer, threaded=True, request_handler=_QuietHandler)
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.platform.url = f"http://127.0.0.1:{self._port}"
        self._thread.start()

    def go_away(self) -> None:
        """Refuse every connection from now on."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
