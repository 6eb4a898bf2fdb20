"""Stop signals: the first one interrupts the program, and the later ones do not disturb its cleaning up."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# SIGHUP comes when the terminal is closed; Windows has none.
STOP_SIGNALS = tuple(signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def ignore_signal(_number: int, _frame: FrameType | None) -> None:
    """Does nothing. Unlike SIG_IGN it is not inherited by the processes that cleaning up may start."""


def interrupt(_number: int, _frame: FrameType | None) -> None:
    ignore_stop_signals()
    raise KeyboardInterrupt


def take_stop_signals() -> None:
    """From now on the first stop signal raises KeyboardInterrupt, and later ones do nothing."""
    for each in STOP_SIGNALS:
        # `nohup` ignores SIGHUP for a program that is to outlive its terminal.
        if each.name != "SIGHUP" or signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, interrupt)


def ignore_stop_signals() -> None:
    for each in STOP_SIGNALS:
        signal.signal(each, ignore_signal)


def refuse_stop_signals() -> None:
    """For the end of the process: Python gives up its own handlers before it is gone, but leaves SIG_IGN."""
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)


@contextmanager
def undisturbed_end() -> Iterator[None]:
    """What is left to do after the block is not disturbed by stop signals, be it the first of them."""
    try:
        yield
    finally:
        ignore_stop_signals()
