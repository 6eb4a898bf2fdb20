"""Finds and kills every process that came from this one, however it tried to detach itself."""

import os
import signal
import sys
import time
from collections import defaultdict
from pathlib import Path

PROC = Path("/proc")
ZOMBIE_STATES = {"Z", "X"}


def list_descendants() -> list[int]:
    """The living descendants of this process (Linux; elsewhere none is known).

    This process is their subreaper: one that lost its parent becomes our child, so it cannot leave the tree.
    """
    if sys.platform != "linux":
        return []
    children: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for entry in os.listdir(PROC):  # noqa: PTH208  # this runs in a loop: names are enough
        if entry.isdecimal() and (found := _read_status(int(entry))) is not None:
            parent, state = found
            children[parent].append((int(entry), state))
    living, waiting = [], [os.getpid()]
    while waiting:
        for process, state in children[waiting.pop()]:
            waiting.append(process)
            if state not in ZOMBIE_STATES:
                living.append(process)
    return living


def signal_descendants(number: signal.Signals) -> None:
    for process in list_descendants():
        _signal(process, number)


def kill_descendants(within_seconds: float) -> bool:
    """Kill until none is left, since a killed one may have forked; True when all are gone in time."""
    gives_up_at = time.monotonic() + within_seconds
    while found := list_descendants():
        for process in found:
            _signal(process, signal.SIGKILL)
        if time.monotonic() > gives_up_at:
            return False
        time.sleep(0.005)
    return True


def reap_orphans(keep: int) -> None:
    """Collect dead orphans that became our children; `keep` is the child that somebody else waits for."""
    if sys.platform != "linux":
        return
    for entry in os.listdir(PROC):  # noqa: PTH208
        if entry.isdecimal() and int(entry) != keep and (found := _read_status(int(entry))) is not None:
            parent, state = found
            if parent == os.getpid() and state in ZOMBIE_STATES:
                os.waitpid(int(entry), os.WNOHANG)


def _signal(process: int, number: signal.Signals) -> None:
    try:
        os.kill(process, number)
    except (ProcessLookupError, PermissionError):
        return  # it is gone already, or a program with more rights than ours: the container's end is its end


def _read_status(process: int) -> tuple[int, str] | None:
    """Parent and state; the name before them may hold spaces and brackets, so reading starts after its last bracket."""
    try:
        text = (PROC / str(process) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = text[text.rindex(b")") + 2 :].split(b" ", 2)[:2]
    return int(parent), state.decode()
