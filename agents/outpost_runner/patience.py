"""How long to keep trying, and to wait for an answer that may never come."""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Thread
from typing import TypeVar

ANSWER_POLL_SECONDS = 0.1

Given = TypeVar("Given")


class PatienceEnded(Exception):
    """The answer did not come as long as somebody could wait for it."""


@dataclass(frozen=True)
class Patience:
    """Until a moment that may move closer meanwhile; a request that has begun gets `request_seconds` at the least."""

    ends_at: Callable[[], float]
    request_seconds: float = 1.0

    def remaining(self) -> float:
        return self.ends_at() - time.monotonic()

    def pause(self, seconds: float) -> None:
        """Sleep, but no longer than patience lasts."""
        wakes_at = time.monotonic() + seconds
        while (left := min(wakes_at - time.monotonic(), self.remaining())) > 0:
            time.sleep(min(left, 0.1))

    def wait_for(self, request: Callable[[], Given]) -> Given:
        """What the request gives or raises; raises PatienceEnded and leaves it behind, wherever it hangs.

        A socket's own timeout is set when it begins to wait: a stop that comes later could not shorten it.
        """
        given: Future[Given] = Future()
        Thread(target=_carry_out, args=(request, given), name="request", daemon=True).start()
        earliest = time.monotonic() + self.request_seconds
        while (left := max(earliest, self.ends_at()) - time.monotonic()) > 0:
            wait([given], timeout=min(left, ANSWER_POLL_SECONDS))
            if given.done():
                return given.result()
        raise PatienceEnded("no answer came in the time left")


def _carry_out(request: Callable[[], Given], given: Future[Given]) -> None:
    try:
        given.set_result(request())
    except Exception as error:  # noqa: BLE001  # whoever waits for the answer gets it
        given.set_exception(error)
