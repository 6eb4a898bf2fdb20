"""Ends every process that came from this one, however it tried to detach itself.

This process is their subreaper: one that lost its parent becomes our child, so it cannot leave the tree. Who has no
child therefore has no descendant, and only the kernel's word for that counts: a process that forks and exits all the
time is in no listing by the time that somebody reads it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from outpost_runner.agent_user import AgentUser

PROC = Path("/proc")
ROUND_SECONDS = 0.02
REAPED_AT_ONCE = 10_000


def reap_children(main: subprocess.Popen[bytes] | None) -> bool:
    """Collect the dead, `main` for whoever waits for it; True when no child is left (always without Linux)."""
    if sys.platform != "linux":
        return True
    try:
        for _ in range(REAPED_AT_ONCE):
            dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if dead is None:
                return False
            if main is not None and dead.si_pid == main.pid:
                main.poll()
            else:
                os.waitpid(dead.si_pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def signal_descendants(number: signal.Signals) -> None:
    """All that are listed, the dead as well: one whose first thread has ended looks dead and goes on in others."""
    for process in _list_descendants():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)


def kill_descendants(
    within_seconds: float, *, main: subprocess.Popen[bytes] | None = None, user: AgentUser | None = None
) -> bool:
    """Kill until none is left; True when all are gone in time. `user` is the one that they run as, if not our own."""
    gives_up_at = time.monotonic() + within_seconds
    while not reap_children(main):
        if time.monotonic() > gives_up_at:
            return False
        if user is not None and user.is_alone:
            _kill_all_of(user)
        else:
            signal_descendants(signal.SIGKILL)
        time.sleep(ROUND_SECONDS)
    return True


def _kill_all_of(user: AgentUser) -> None:
    """Every process of the user's at one moment, which none can fork out of: a child becomes that user and asks for it.

    The user may kill that child first, so it is to be done again; it cannot read the child's memory, which is ours.
    """
    with contextlib.suppress(OSError):  # there is no room for a child now
        if os.fork() == 0:
            try:
                os.setresuid(user.user_id, user.user_id, user.user_id)
                os.kill(-1, signal.SIGKILL)
            finally:
                os._exit(0)


def _list_descendants() -> list[int]:
    """As many as can be seen, with those that are dead and not collected."""
    if sys.platform != "linux":
        return []
    children: dict[int, list[int]] = defaultdict(list)
    for entry in os.listdir(PROC):  # noqa: PTH208  # this runs in a loop: names are enough
        if entry.isdecimal() and (parent := _read_parent(int(entry))) is not None:
            children[parent].append(int(entry))
    found, waiting = [], [os.getpid()]
    while waiting:
        below = children[waiting.pop()]
        found += below
        waiting += below
    return found


def _read_parent(process: int) -> int | None:
    """The name before it may hold spaces and brackets, so reading starts after its last bracket."""
    try:
        text = (PROC / str(process) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    _, parent = text[text.rindex(b")") + 2 :].split(b" ", 2)[:2]
    return int(parent)
