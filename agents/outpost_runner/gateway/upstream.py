"""The connection to the provider's host, and to no other."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from outpost_runner.gateway.open_sockets import OpenSockets, is_readable, shut_down
from outpost_runner.gateway.refusals import ClientGone, Interrupted, ProviderGone

BLOCK_BYTES = 64 * 1024
TLS_PORT = 443
PLAIN_PORT = 80


@dataclass(frozen=True)
class Timeouts:
    """`silence_seconds` is the longest wait for the next byte, in both directions; models think for minutes.

    A connection that was idle for longer than `idle_seconds` is not used again: a network may have forgotten it.
    """

    connect_seconds: float = 10.0
    silence_seconds: float = 600.0
    idle_seconds: float = 60.0


class Upstream:
    """Opened by the first call, and kept for the same client's next one. Redirects are answers like any other here.

    All methods raise ProviderGone, or ClientGone when `abort` or the gateway's stop ended the connection.
    """

    def __init__(self, base_url: str, sockets: OpenSockets, timeouts: Timeouts) -> None:
        parts = urlsplit(base_url)
        self._is_tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (TLS_PORT if self._is_tls else PLAIN_PORT)
        self._sockets = sockets
        self._timeouts = timeouts
        self._socket: socket.socket | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._answer: http.client.HTTPResponse | None = None
        self._lock = threading.Lock()
        self._idle_since = 0.0
        self._is_aborted = False
        # Whether the provider has the whole of the latest request.
        self.has_sent = False

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> http.client.HTTPResponse:
        """Send the request; the head of the answer has come, its body is taken by `read`."""
        self.has_sent = False
        try:
            connection = self._connect()
            connection.request(method, target, body=body if method != "GET" else None, headers=dict(headers))
            self.has_sent = True
            self._answer = connection.getresponse()
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise self._explain(error) from None
        return self._answer

    def read(self) -> bytes:
        """The next part of the answer as soon as there is one; nothing at its end."""
        if self._answer is None:
            return b""
        try:
            block = self._answer.read1(BLOCK_BYTES)
            is_cut = not block and not self._is_whole(self._answer)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise self._explain(error) from None
        if is_cut:
            raise self._explain(EOFError())
        return block

    def require_wanted(self) -> None:
        """Raises ClientGone once nobody waits for an answer."""
        if self._is_aborted or self._sockets.are_ended:
            raise ClientGone

    def abort(self) -> None:
        """From another thread: the client has gone."""
        with self._lock:
            self._is_aborted = True
            if self._socket is not None:
                shut_down(self._socket)

    def finish(self) -> None:
        """The answer was read to its end: keep the connection when the provider keeps it too."""
        if self._answer is None or self._answer.will_close:
            self.close()
        else:
            self._answer.close()
            self._answer = None
            self._idle_since = time.monotonic()

    def close(self) -> None:
        if self._answer is not None:
            self._answer.close()
            self._answer = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        with self._lock:
            opened, self._socket = self._socket, None
        if opened is not None:
            self._sockets.close(opened)

    @staticmethod
    def _is_whole(answer: http.client.HTTPResponse) -> bool:
        """An answer without a length and without chunks could be cut anywhere: its end proves nothing."""
        return answer.chunked or answer.length == 0

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is not None and self._is_alive():
            return self._connection
        self.close()
        opened = self._open()
        if self._is_tls:
            opened = self._secure(opened)
        if self._is_aborted:
            raise ClientGone
        opened.settimeout(self._timeouts.silence_seconds)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        kind = http.client.HTTPSConnection if self._is_tls else http.client.HTTPConnection
        self._connection = kind(self._host, self._port)
        self._connection.sock = opened
        return self._connection

    def _is_alive(self) -> bool:
        """What an idle connection has to say is that it has ended."""
        is_fresh = time.monotonic() - self._idle_since < self._timeouts.idle_seconds
        return is_fresh and self._socket is not None and not is_readable(self._socket)

    def _open(self) -> socket.socket:
        """The first address that answers; each attempt can be woken."""
        last: OSError = OSError("no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM):
            opened = socket.socket(family, kind, protocol)
            self._adopt(opened)
            try:
                opened.settimeout(self._timeouts.connect_seconds)
                opened.connect(address)
            except OSError as error:
                last = error
                self.close()
            else:
                return opened
        raise last

    def _secure(self, opened: socket.socket) -> socket.socket:
        """TLS with the host's name and the system's authorities checked."""
        context = ssl.create_default_context()
        secured = context.wrap_socket(opened, server_hostname=self._host, do_handshake_on_connect=False)
        self._sockets.close(opened)
        self._adopt(secured)
        secured.do_handshake()
        return secured

    def _adopt(self, opened: socket.socket) -> None:
        self._sockets.add(opened)
        with self._lock:
            self._socket = opened

    def _explain(self, error: Exception) -> Interrupted:
        """The kind of the error says enough; its text could hold what was sent."""
        if self._is_aborted or self._sockets.are_ended:
            return ClientGone()
        if isinstance(error, TimeoutError):
            return ProviderGone("did not answer in time", HTTPStatus.GATEWAY_TIMEOUT)
        if isinstance(error, ssl.SSLError):
            return ProviderGone("could not be trusted, or did not speak TLS")
        if self._answer is not None:
            return ProviderGone("broke its answer off")
        return ProviderGone(f"could not be reached ({type(error).__name__})")
