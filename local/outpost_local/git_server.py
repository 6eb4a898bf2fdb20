"""Serves bare git repositories over HTTP on loopback, by git's own http-backend."""

import base64
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BLOCK_BYTES = 64 * 1024
POLL_SECONDS = 0.05


class GitServer:
    """`with GitServer(folder) as server:` serves `folder/name.git` as `{server.url}/name.git`.

    With a `credential` (user name, password) it answers 401 to everybody else. Pushes are refused unless `can_push`.
    """

    def __init__(self, directory: Path, *, credential: tuple[str, str] | None = None, can_push: bool = False) -> None:
        self._directory = directory
        self._can_push = can_push
        self._authorization = None if credential is None else _basic_authorization(*credential)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_QuietHandler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="git-server", daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "GitServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if self._authorization is not None and environ.get("HTTP_AUTHORIZATION") != self._authorization:
            headers = [("WWW-Authenticate", 'Basic realm="git"'), ("Content-Length", "0")]
            start_response("401 Unauthorized", headers)
            return []
        answer = self._run_backend(environ)
        status, headers = _read_head(answer)
        start_response(status, headers)
        return _stream(answer)

    def _run_backend(self, environ: "WSGIEnvironment") -> IO[bytes]:
        """The backend's whole answer, in a file: a client that goes away leaves no process behind."""
        answer = tempfile.TemporaryFile()  # noqa: SIM115  # closed by whoever streams it
        with tempfile.TemporaryFile() as body:
            length = body.write(_read_body(environ))
            body.seek(0)
            subprocess.run(
                ["git", "http-backend"],
                env=self._backend_environment(environ, length),
                stdin=body,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        answer.seek(0)
        return answer

    def _backend_environment(self, environ: "WSGIEnvironment", length: int) -> dict[str, str]:
        """CGI variables; `safe.directory`, since the repositories may belong to another user than this process."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_PROJECT_ROOT": str(self._directory),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_CONFIG_KEY_1": "http.receivepack",
            "GIT_CONFIG_VALUE_1": "true" if self._can_push else "false",
            "GIT_PROTOCOL": environ.get("HTTP_GIT_PROTOCOL", ""),
            "HTTP_CONTENT_ENCODING": environ.get("HTTP_CONTENT_ENCODING", ""),
            "REQUEST_METHOD": environ["REQUEST_METHOD"],
            "PATH_INFO": environ["PATH_INFO"],
            "QUERY_STRING": environ.get("QUERY_STRING", ""),
            "CONTENT_TYPE": environ.get("CONTENT_TYPE", ""),
            "CONTENT_LENGTH": str(length),
            "REMOTE_ADDR": environ.get("REMOTE_ADDR", ""),
        }


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Keep silent: the terminal is somebody else's."""


def _basic_authorization(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _read_body(environ: "WSGIEnvironment") -> bytes:
    """Git sends a large push in chunks, whose end the server knows and no length tells."""
    body: IO[bytes] = environ["wsgi.input"]
    return body.read() if environ.get("wsgi.input_terminated") else body.read(int(environ.get("CONTENT_LENGTH") or 0))


def _read_head(pipe: IO[bytes]) -> tuple[str, list[tuple[str, str]]]:
    status, headers = "200 OK", []
    while line := pipe.readline().strip():
        name, _, value = line.decode().partition(": ")
        if name == "Status":
            status = value
        else:
            headers.append((name, value))
    return status, headers


def _stream(answer: IO[bytes]) -> Iterator[bytes]:
    with answer:
        while block := answer.read(BLOCK_BYTES):
            yield block
