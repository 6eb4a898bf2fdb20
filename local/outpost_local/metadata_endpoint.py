"""The task metadata endpoint, version 4, on loopback: one secret path per task."""

import contextlib
import json
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class MetadataEndpoint:
    """Answers a task who it is. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html"""

    def __init__(self) -> None:
        self._documents: dict[str, dict[str, Any]] = {}
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with contextlib.suppress(ConnectionError):  # the task was killed while it asked
                    endpoint._answer(self)

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
                """Nothing: the endpoint has no log on AWS either."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="task-metadata", daemon=True)
        self._thread.start()

    def add_task(self, task: dict[str, Any]) -> str:
        """The value of ECS_CONTAINER_METADATA_URI_V4 for this task."""
        key = secrets.token_hex(16)
        self._documents[key] = task
        return f"http://127.0.0.1:{self._server.server_port}/v4/{key}"

    def remove_task(self, uri: str) -> None:
        self._documents.pop(uri.rpartition("/")[2], None)

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = request.path.strip("/").split("/")
        task = self._documents.get(parts[1]) if len(parts) > 1 and parts[0] == "v4" else None
        known = {("task",): task, (): task and task["Containers"][0]}
        document = known.get(tuple(parts[2:])) if task else None
        body = json.dumps(document).encode() if document else b"404 page not found"
        request.send_response(HTTPStatus.OK if document else HTTPStatus.NOT_FOUND)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
