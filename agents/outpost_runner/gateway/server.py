"""The gateway's door on loopback: a thread for each client, all of them gone when it is closed."""

import contextlib
import socket
import socketserver
import sys
import threading
import time
import traceback
from typing import Any

from outpost_runner.gateway.client_watch import ClientWatch
from outpost_runner.gateway.exchange import Desk
from outpost_runner.gateway.handler import GatewayHandler
from outpost_runner.gateway.open_sockets import OpenSockets
from outpost_runner.gateway.refusals import ClientGone
from outpost_runner.gateway.upstream import Timeouts

LOOPBACK = "127.0.0.1"
MAX_CLIENTS = 64
WAKE_SECONDS = 1.0
CLOSE_WITHIN_SECONDS = 5.0


class GatewayServer(socketserver.ThreadingTCPServer):
    """Takes as many clients at once as an agent with all its helpers could need; one more is turned away."""

    request_queue_size = MAX_CLIENTS

    def __init__(self, desk: Desk, timeouts: Timeouts) -> None:
        self.desk = desk
        self.provider = desk.admission.provider
        self.timeouts = timeouts
        self.sockets = OpenSockets()
        self.client_watch = ClientWatch()
        self._client_threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        super().__init__((LOOPBACK, 0), GatewayHandler)
        self._is_closing = False
        self._accepting = threading.Thread(target=self._accept_all, name="gateway", daemon=True)
        self._accepting.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def close(self) -> None:
        """End every connection now; a thread that waits for a name's address is left behind, and does nothing more."""
        self._is_closing = True
        self._wake()
        self.sockets.end_all()
        gives_up_at = time.monotonic() + CLOSE_WITHIN_SECONDS
        self._accepting.join(CLOSE_WITHIN_SECONDS)
        self.server_close()
        with self._lock:
            threads = list(self._client_threads)
        for thread in threads:
            thread.join(max(0.0, gives_up_at - time.monotonic()))
        self.client_watch.close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            if self._is_closing or len(self._client_threads) >= MAX_CLIENTS:
                request.close()
                return
            thread = threading.Thread(
                target=self._serve_client, args=(request, client_address), name="model-client", daemon=True
            )
            thread.start()
            self._client_threads.add(thread)

    def _accept_all(self) -> None:
        while not self._is_closing:
            self.handle_request()

    def _wake(self) -> None:
        """One more client, for the thread that waits for one."""
        with contextlib.suppress(OSError):
            socket.create_connection((LOOPBACK, self.port), timeout=WAKE_SECONDS).close()

    def _serve_client(self, client: socket.socket, address: Any) -> None:
        try:
            self.sockets.add(client)
            self.process_request_thread(client, address)
        except ClientGone:
            return  # the gateway is stopping
        finally:
            with self._lock:
                self._client_threads.discard(threading.current_thread())

    def close_request(self, request: Any) -> None:
        self.sockets.close(request)

    def handle_error(self, *_: Any) -> None:
        """A client that breaks off is its own affair; the rest is a defect, told without what it was about."""
        error = sys.exception()
        if error is None or isinstance(error, OSError):
            return
        place = traceback.extract_tb(error.__traceback__)[-1]
        self.desk.watcher.gateway_failed(f"{type(error).__name__} in {place.name}, line {place.lineno}")
