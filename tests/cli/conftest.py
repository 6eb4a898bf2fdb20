"""A scripted service on loopback, and the program under test pointed at it."""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import stamina
from typer.testing import CliRunner, Result

from outpost_cli.main import app

STAGE = "/dev"
API_KEY = "otp_" + "0" * 64
RUN_ID = "01JZ0000000000000000000000"
MOMENT = {"at": "2026-01-01T12:00:01.000Z", "details": {}}
KEY_ID = "01JZ0000000000000000000001"


@dataclass(frozen=True)
class Reply:
    """One scripted answer; `meanwhile` happens before it is sent.

    One with pieces is sent piece by piece, and breaks off behind them if it is cut.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    meanwhile: Callable[[], object] = lambda: None
    pieces: tuple[bytes, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True)
class Seen:
    """One request that arrived."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, object]:
        document: dict[str, object] = json.loads(self.body)
        return document


def reply_json(document: object, *, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json", **named})


def reply_data(data: object, *, status: int = 200, pagination: object = None, **headers: str) -> Reply:
    meta = {"requestId": "r-1", "timestamp": "2026-01-01T00:00:00.000Z"}
    page = {} if pagination is None else {"pagination": pagination}
    return reply_json({"success": True, "data": data, "meta": {**meta, **page}}, status=status, **headers)


def reply_error(status: int, code: str, *, retryable: bool = False, details: object = None, **headers: str) -> Reply:
    error = {"code": code, "message": f"It was {code}.", "remedy": f"Mend {code}.", "retryable": retryable}
    more = {} if details is None else {"details": details}
    return reply_json({"success": False, "error": {**error, **more}, "meta": {}}, status=status, **headers)


def reply_stream(*messages: str, is_cut: bool = False, **settings: Any) -> Reply:
    """Server-sent events, each as a piece of its own, which ask for a reconnect after a millisecond."""
    pieces = tuple(message.encode() for message in ("retry: 1\n\n", *messages))
    return Reply(200, headers={"Content-Type": "text/event-stream"}, pieces=pieces, is_cut=is_cut, **settings)


def make_message(event: str, data: object, *, number: int | str | None) -> str:
    """One server-sent event, whose id is that number."""
    name = "" if number is None else f"id: {number}\n"
    return f"{name}event: {event}\ndata: {json.dumps(data)}\n\n"


def make_log(number: int | str, *messages: str) -> str:
    lines = [make_line(message) for message in messages]
    return make_message("log", {"runId": RUN_ID, "attempt": 1, "lines": lines}, number=number)


def make_status(number: int | str, status: str, **changes: object) -> str:
    data = {"runId": RUN_ID, "type": f"run.{status.lower()}", "status": status, "attempt": 1, **MOMENT, **changes}
    return make_message("status", data, number=number)


def make_progress(number: int | str, phase: str | None, message: str | None = None) -> str:
    data = {"runId": RUN_ID, "type": "run.progress", "phase": phase, "message": message, "attempt": 1, **MOMENT}
    return make_message("progress", data, number=number)


def make_done(number: int | str, status: str = "COMPLETED") -> str:
    return make_message("done", {"runId": RUN_ID, "status": status}, number=number)


def make_stream_error(code: str) -> str:
    return make_message("error", {"code": code, "message": f"It was {code}.", "remedy": f"Mend {code}."}, number=None)


def make_run(**changes: object) -> dict[str, object]:
    """A run as the service tells it, with every field of the contract."""
    absent = (
        "repo branch workspaceId requestedBy startedAt endedAt cancelRequestedAt computeStoppedAt queuePosition "
        "progress exitCode error usage result promotion parentRunId parentKind batchId check workspace"
    )
    return {
        **dict.fromkeys(absent.split()),
        "runId": RUN_ID,
        "dispatchId": RUN_ID,
        "status": "PENDING",
        "agent": "shell",
        "modelId": None,
        "task": "echo hello",
        "context": "off",
        "contextSources": [],
        "resources": {"cpuUnits": 256, "memoryMb": 512, "diskGb": 21},
        "budget": {"maxCostUsd": None, "maxTokens": None},
        "secrets": [],
        "workspaceMode": "ephemeral",
        "notices": [],
        "tags": {},
        "priority": "normal",
        "timeoutSeconds": 600,
        "queueTimeoutSeconds": 3600,
        "createdAt": "2026-01-01T12:00:00.000Z",
        "attempt": 1,
        "attempts": [],
        **changes,
    }


def make_usage(**changes: object) -> dict[str, object]:
    """What a run has used and cost; by default one that called no model."""
    counts = "inputTokens cachedInputTokens cacheWriteTokens outputTokens modelCalls modelRetries estimatedCalls"
    return {
        **dict.fromkeys(counts.split(), 0),
        "modelCostUsd": 0.0,
        "computeCostUsd": 0.000338,
        "totalCostUsd": 0.000338,
        "priceVersion": "2026-01-01",
        "isEstimate": False,
        **changes,
    }


def make_promotion(**changes: object) -> dict[str, object]:
    """A promotion as the service tells it, with every field of the contract."""
    return {
        **dict.fromkeys(["commit", "pullRequest", "compareUrl", "endedAt", "error"]),
        "runId": RUN_ID,
        "status": "PENDING",
        "attempt": 1,
        "branch": "outpost/01jz",
        "baseBranch": "main",
        "title": "Mend the cart",
        "draft": True,
        "requestedAt": "2026-01-01T12:00:00.000Z",
        "conflicts": [],
        **changes,
    }


def make_plan(**changes: object) -> dict[str, object]:
    unlimited = (
        "dispatches agentMinutes workspaces largestCpuUnits largestMemoryMb monthlyBudgetUsd runBudgetUsd runTokens "
        "agents repositories"
    )
    return {
        **dict.fromkeys(unlimited.split()),
        "kind": "standard",
        "concurrentRuns": 10,
        "queuedRuns": 100,
        "longestTimeoutSeconds": 7200,
        "workspaceDays": 30,
        "workspaceMb": 2048,
        "ownSecretsRequired": False,
        "endsAt": None,
        **changes,
    }


def make_key(**changes: object) -> dict[str, object]:
    absent = "createdBy lastUsedAt expiresAt replacedBy agents repositories monthlyBudgetUsd runBudgetUsd runTokens"
    return {
        **dict.fromkeys(absent.split()),
        "keyId": KEY_ID,
        "name": "ci",
        "prefix": "otp_0000",
        "scopes": ["dispatch", "status"],
        "status": "ACTIVE",
        "createdAt": "2026-01-01T12:00:00.000Z",
        **changes,
    }


def make_identity(**changes: object) -> dict[str, object]:
    return {
        "tenant": {"tenantId": "example-shop", "name": "Example Shop", "status": "ACTIVE"},
        "credential": "key",
        "key": make_key(),
        "scopes": ["dispatch", "status"],
        "expiresAt": None,
        "plan": make_plan(),
        **changes,
    }


def make_switch(**changes: object) -> dict[str, object]:
    return {"on": False, "reason": None, "setAt": None, "setBy": None, "stopRunning": False, **changes}


def make_tenant(**changes: object) -> dict[str, object]:
    return {
        "tenantId": "example-shop",
        "name": "Example Shop",
        "status": "ACTIVE",
        "suspendedReason": None,
        "createdAt": "2026-01-01T12:00:00.000Z",
        "plan": make_plan(),
        "activeRuns": 2,
        "queuedRuns": 1,
        "killSwitch": make_switch(),
        "usage": {"period": "2026-01", "resetsAt": None, "dispatches": 7, "agentMinutes": 12.5, "costUsd": 0.5},
        **changes,
    }


def make_line(message: str, *, stream: str = "stdout") -> dict[str, object]:
    return {"timestamp": "2026-01-01T12:00:01.000Z", "stream": stream, "message": message}


@dataclass
class Service:
    """Answers each route with its replies in turn; the last one is repeated. Carries the builders of replies."""

    run_id = RUN_ID
    key_id = KEY_ID
    api_key = API_KEY
    make_run = staticmethod(make_run)
    make_usage = staticmethod(make_usage)
    make_plan = staticmethod(make_plan)
    make_key = staticmethod(make_key)
    make_identity = staticmethod(make_identity)
    make_switch = staticmethod(make_switch)
    make_promotion = staticmethod(make_promotion)
    make_tenant = staticmethod(make_tenant)
    make_line = staticmethod(make_line)
    json = staticmethod(reply_json)
    data = staticmethod(reply_data)
    error = staticmethod(reply_error)
    raw = Reply
    stream = staticmethod(reply_stream)
    make_log = staticmethod(make_log)
    make_status = staticmethod(make_status)
    make_progress = staticmethod(make_progress)
    make_done = staticmethod(make_done)
    make_stream_error = staticmethod(make_stream_error)

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    _replies: dict[tuple[str, str], list[Reply]] = field(default_factory=dict)

    def on(self, method: str, path: str, *replies: Reply) -> None:
        self._replies[method, STAGE + path] = list(replies)

    def take(self, seen: Seen) -> Reply:
        self.seen.append(seen)
        replies = self._replies.get((seen.method, seen.path), [])
        default = reply_error(404, "NOT_FOUND")
        reply = (replies.pop(0) if len(replies) > 1 else replies[0]) if replies else default
        reply.meanwhile()
        return reply

    def seen_on(self, method: str, path: str) -> list[Seen]:
        return [each for each in self.seen if (each.method, each.path) == (method, STAGE + path)]

    def file_url(self, name: str) -> str:
        return f"{self.url}/files/{name}"


def make_handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            split = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = service.take(Seen(self.command, split.path, parse_qsl(split.query), headers, body))
            length = {"Transfer-Encoding": "chunked"} if reply.pieces else {"Content-Length": str(len(reply.body))}
            self.send_response(reply.status)
            for name, value in {**length, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            # Whoever has heard enough goes away.
            with contextlib.suppress(ConnectionError):
                self.wfile.write(reply.body)
                for piece in [*reply.pieces, *([b""] if reply.pieces and not reply.is_cut else [])]:
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.close_connection = bool(reply.pieces) or "Content-Length" in reply.headers

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Keeps the test's output clean."""

    return Handler


@pytest.fixture(scope="session", autouse=True)
def _terminal_that_can_close() -> Iterator[None]:
    """Whoever runs the tests under `nohup` has SIGHUP ignored, and so have all that the tests start."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def service() -> Iterator[Service]:
    scripted = Service()
    server = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(scripted))
    scripted.url = f"http://127.0.0.1:{server.server_address[1]}{STAGE}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield scripted
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No profile, no variable, no AWS and no terminal of whoever runs the tests; retries do not sleep."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    for name in ("OUTPOST_URL", "OUTPOST_API_KEY", "OUTPOST_PROFILE", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


Outpost = Callable[..., Result]


@pytest.fixture
def run_program() -> Outpost:
    """The program, with no service chosen."""

    def run(*arguments: str, standard_input: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=standard_input)

    return run


@pytest.fixture
def outpost(service: Service, run_program: Outpost, monkeypatch: pytest.MonkeyPatch) -> Outpost:
    """The program, pointed at the scripted service."""
    monkeypatch.setenv("OUTPOST_URL", service.url)
    monkeypatch.setenv("OUTPOST_API_KEY", API_KEY)
    return run_program


@pytest.fixture
def operate(service: Service, run_program: Outpost, monkeypatch: pytest.MonkeyPatch) -> Outpost:
    """The operator's commands, with the scripted service as AWS."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
    return lambda *arguments: run_program("operator", *arguments)
