"""Ending on Ctrl-C and SIGTERM alike, with time to clean up."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def ignore_signal(_number: int, _frame: FrameType | None) -> None:
    """Does nothing. Unlike SIG_IGN it is not inherited by the processes that cleaning up may start."""


def interrupt(_number: int, _frame: FrameType | None) -> None:
    for each in STOP_SIGNALS:
        signal.signal(each, ignore_signal)
    raise KeyboardInterrupt


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """The first stop signal raises KeyboardInterrupt in the block; later ones do not disturb its cleaning up."""
    before = {number: signal.signal(number, interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
