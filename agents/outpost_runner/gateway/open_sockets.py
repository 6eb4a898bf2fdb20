"""The sockets of a gateway, so that whoever waits on one of them can be woken."""

import select
import socket
import threading

from outpost_runner.gateway.refusals import ClientGone


class OpenSockets:
    """Other threads only shut a socket down; closing is left to its owner, so that no number is ever reused early."""

    def __init__(self) -> None:
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.are_ended = False

    def add(self, opened: socket.socket) -> None:
        """Raises ClientGone when the gateway is stopping."""
        with self._lock:
            if self.are_ended:
                opened.close()
                raise ClientGone
            self._sockets.add(opened)

    def close(self, opened: socket.socket) -> None:
        with self._lock:
            self._sockets.discard(opened)
        opened.close()

    def end_all(self) -> None:
        """Every read and write on them ends now, and none is opened any more."""
        with self._lock:
            self.are_ended = True
            for opened in self._sockets:
                shut_down(opened)


def shut_down(opened: socket.socket) -> None:
    """Both directions at once, and past the TLS layer, which another thread may be using at this moment."""
    try:
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
    except OSError:
        return  # it was not connected any more


def is_readable(opened: socket.socket) -> bool:
    """Whether there is something to read, or the end."""
    poll = select.poll()
    poll.register(opened, select.POLLIN)
    return bool(poll.poll(0))
