"""One client's connection: its requests one after the other, each answered by the provider or refused."""

import contextlib
import http.server
import json
import socket
import time
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from outpost_runner.gateway.admission import ClientRequest
from outpost_runner.gateway.exchange import Exchange
from outpost_runner.gateway.open_sockets import shut_down
from outpost_runner.gateway.refusals import ClientGone, Interrupted, ProviderGone, Refused
from outpost_runner.gateway.request_body import RequestBody
from outpost_runner.gateway.upstream import Upstream

if TYPE_CHECKING:
    from outpost_runner.gateway.server import GatewayServer

MAX_REQUEST_BYTES = 32 * 1024 * 1024
LINGER_SECONDS = 2.0
LINGER_BLOCK_BYTES = 256 * 1024


class HttpClient:
    """Writes an answer in chunks, so that one without its last chunk is seen to be cut."""

    def __init__(self, handler: "GatewayHandler") -> None:
        self._handler = handler
        self.has_begun = False

    def begin(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self.has_begun = True
        self._handler.send_response_only(status)
        for name, value in headers:
            self._handler.send_header(name, value)
        self._handler.send_header("transfer-encoding", "chunked")
        with _client_may_go():
            self._handler.end_headers()

    def write(self, block: bytes) -> None:
        if block:
            self._send(b"%x\r\n%b\r\n" % (len(block), block))

    def finish(self) -> None:
        self._send(b"0\r\n\r\n")

    def _send(self, content: bytes) -> None:
        with _client_may_go():
            self._handler.wfile.write(content)


class GatewayHandler(http.server.BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 only: before it, the end of an answer and a cut look the same."""

    server: "GatewayServer"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.timeouts.silence_seconds)
        self._upstream = Upstream(self.server.provider.base_url, self.server.sockets, self.server.timeouts)

    def finish(self) -> None:
        self._upstream.close()
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep silent: a target may hold a key."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """For what is no HTTP request that could be read."""
        self._refuse(code, explain or message or "The request cannot be read.", may_go_on=False)

    def serve(self) -> None:
        client = HttpClient(self)
        body = RequestBody(self.rfile, self.headers, MAX_REQUEST_BYTES)
        if self.request_version != self.protocol_version:
            self._refuse(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "The gateway speaks HTTP/1.1 only.", may_go_on=False)
            return
        try:
            admitted = self.server.desk.admission.admit(ClientRequest(self.command, self.path, self.headers, body))
            with self.server.client_watch.over(self.connection, self._upstream.abort):
                Exchange(self.server.desk, admitted, client, self._upstream).run()
        except (Refused, Interrupted) as end:
            self._upstream.close()
            if isinstance(end, ClientGone) or client.has_begun:
                self._cut()
            elif isinstance(end, ProviderGone):
                self._refuse(end.status, f"The provider {end.what}.", may_go_on=True)
            elif isinstance(end, Refused):
                self._refuse(end.status, end.message, may_go_on=not body.is_pending)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve  # noqa: N815  # http.server's names

    def _refuse(self, status: int, message: str, *, may_go_on: bool) -> None:
        """An error in the shape of the protocol that the path belongs to."""
        protocol = self.server.provider.protocol_for(getattr(self, "path", "/").partition("?")[0])
        content = json.dumps(protocol.make_error(status, message)).encode()
        self.close_connection = self.close_connection or not may_go_on
        self.send_response_only(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        if self.close_connection:
            self.send_header("connection", "close")
        try:
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else content)
            if self.close_connection:
                self._linger()
        except OSError:
            self._cut()

    def _linger(self) -> None:
        """Take what the client still sends, or the refusal could be lost on its way (RFC 9112, 9.6)."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(LINGER_SECONDS)
        gives_up_at = time.monotonic() + LINGER_SECONDS
        while time.monotonic() < gives_up_at and self.connection.recv(LINGER_BLOCK_BYTES):
            continue

    def _cut(self) -> None:
        self.close_connection = True
        shut_down(self.connection)


@contextlib.contextmanager
def _client_may_go() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ClientGone from error
