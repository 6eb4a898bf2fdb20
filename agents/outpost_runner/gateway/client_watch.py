"""Notices a client that goes away while its answer is awaited."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from outpost_runner.gateway.open_sockets import is_readable, shut_down


class ClientWatch:
    """One thread for all clients of a gateway.

    What it does with a client's socket it does under the lock, which the socket's owner has to take to get it back.
    """

    def __init__(self) -> None:
        self._watched: dict[socket.socket, Callable[[], None]] = {}
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._ours, self._theirs = socket.socketpair()
        self._selector.register(self._theirs, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._watch, name="client-watch", daemon=True)
        self._thread.start()

    @contextmanager
    def over(self, client: socket.socket, on_gone: Callable[[], None]) -> Iterator[None]:
        """Call `on_gone`, from another thread, when the client closes its side meanwhile."""
        with self._lock:
            self._watched[client] = on_gone
            self._selector.register(client, selectors.EVENT_READ)
        try:
            yield
        finally:
            with self._lock:
                self._forget(client)

    def close(self) -> None:
        shut_down(self._ours)
        self._thread.join()
        self._selector.close()
        self._ours.close()
        self._theirs.close()

    def _watch(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if not isinstance(key.fileobj, socket.socket) or key.fileobj is self._theirs:
                    return
                self._look(key.fileobj)

    def _look(self, client: socket.socket) -> None:
        """A client that says something has not gone; it is not watched further, or its words would keep waking us."""
        with self._lock:
            if client not in self._watched or not is_readable(client):
                return
            try:
                is_gone = not client.recv(1, socket.MSG_PEEK)
            except OSError:
                is_gone = True
            on_gone = self._forget(client)
        if is_gone and on_gone is not None:
            on_gone()

    def _forget(self, client: socket.socket) -> Callable[[], None] | None:
        on_gone = self._watched.pop(client, None)
        if on_gone is not None:
            self._selector.unregister(client)
        return on_gone
