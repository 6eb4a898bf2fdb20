"""A provider of models on loopback that answers what a test tells it to, block by block."""

import json
import select
import socket
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .dialects import TEXT, Dialect, Tokens

PATIENCE_SECONDS = 10.0


class Ending(Enum):
    """How an answer ends on the wire."""

    LAST_CHUNK = auto()
    LAST_CHUNK_THEN_CLOSED = auto()
    NO_LAST_CHUNK = auto()
    LENGTH = auto()
    LENGTH_NOT_REACHED = auto()
    CLOSED = auto()
    NO_ANSWER = auto()


CHUNKED = {Ending.LAST_CHUNK, Ending.LAST_CHUNK_THEN_CLOSED, Ending.NO_LAST_CHUNK}
KEPT = {Ending.LAST_CHUNK, Ending.LENGTH}


@dataclass
class Reply:
    """Each block is one write, and one chunk where there are chunks.

    The reply waits for `release` before the block of number `held_at`, or before it says anything at all.
    """

    blocks: list[bytes] = field(default_factory=list)
    status: int = 200
    content_type: str = "text/event-stream; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    ending: Ending = Ending.LAST_CHUNK
    # Between the blocks, of an answer that comes slowly.
    pause_seconds: float = 0.0
    held_at: int | None = None
    held_before_head: bool = False
    release: threading.Event = field(default_factory=threading.Event)
    # The moment at which each block was sent.
    sent_at: list[float] = field(default_factory=list)
    # The other side closed the connection before the end.
    was_left: threading.Event = field(default_factory=threading.Event)
    # The reply has come to where it waits.
    is_holding: threading.Event = field(default_factory=threading.Event)


def streamed(dialect: Dialect, tokens: Tokens, text: str = TEXT, **changes: Any) -> Reply:
    return Reply(dialect.events(tokens, text), **changes)


def whole(dialect: Dialect, tokens: Tokens, text: str = TEXT, **changes: Any) -> Reply:
    return as_json(dialect.whole(tokens, text), **changes)


def as_json(content: object, **changes: Any) -> Reply:
    return Reply(
        [json.dumps(content).encode()], content_type="application/json", **{"ending": Ending.LENGTH, **changes}
    )


def failing(status: int, content: object = None, **headers: str) -> Reply:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return as_json({"error": {"message": "No."}} if content is None else content, status=status, headers=fields)


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    client: tuple[str, int]

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.body)


class ScriptedProvider:
    """Gives its replies in order, the last one for ever."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.replies: deque[Reply] = deque()
        self.seen: list[Seen] = []
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"provider": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True)
        self._thread.start()

    def next_reply(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            return self.replies.popleft() if len(self.replies) > 1 else self.replies[0]

    @property
    def closed_connections(self) -> int:
        return self._server.closed_connections

    def close(self) -> None:
        for reply in self.replies:
            reply.release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    closed_connections = 0

    def close_request(self, request: Any) -> None:
        super().close_request(request)
        self.closed_connections += 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep silent: clients that do not trust this provider break off."""


class _Handler(BaseHTTPRequestHandler):
    provider: ScriptedProvider
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args: object) -> None:
        """Keep silent."""

    def answer(self) -> None:
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, self.rfile.read(length), self.client_address)
        reply = self.provider.next_reply(seen)
        try:
            self._send(reply)
        except OSError:
            reply.was_left.set()
            self.close_connection = True

    do_GET = do_POST = answer  # noqa: N815  # http.server's names

    def _send(self, reply: Reply) -> None:
        is_chunked = reply.ending in CHUNKED
        length = sum(map(len, reply.blocks)) + (reply.ending is Ending.LENGTH_NOT_REACHED)
        if reply.held_before_head:
            self._hold(reply)
        if reply.ending is Ending.NO_ANSWER:
            raise ConnectionResetError
        self.send_response_only(reply.status)
        self.send_header("content-type", reply.content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if is_chunked:
            self.send_header("transfer-encoding", "chunked")
        elif reply.ending is not Ending.CLOSED:
            self.send_header("content-length", str(length))
        self.end_headers()
        for number, block in enumerate(reply.blocks):
            if reply.held_at == number:
                self._hold(reply)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if is_chunked else block)
            reply.sent_at.append(time.monotonic())
            time.sleep(reply.pause_seconds)
        if is_chunked and reply.ending is not Ending.NO_LAST_CHUNK:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = reply.ending not in KEPT

    def _hold(self, reply: Reply) -> None:
        """Wait, and notice a client that leaves meanwhile."""
        reply.is_holding.set()
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while not reply.release.is_set() and time.monotonic() < ends_at:
            if select.select([self.connection], [], [], 0.01)[0] and not self.connection.recv(1, socket.MSG_PEEK):
                raise ConnectionResetError
