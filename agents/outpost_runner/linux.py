"""Switches of the Linux kernel for this process and those that it starts; other systems do without them."""

import contextlib
import ctypes
import sys
from pathlib import Path

PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
FIRST_TO_DIE = "1000"


def harden_process() -> None:
    """Make orphaned descendants ours, hide our memory from processes of the same user, and let no child gain rights."""
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    for option, value in ((PR_SET_CHILD_SUBREAPER, 1), (PR_SET_DUMPABLE, 0), (PR_SET_NO_NEW_PRIVS, 1)):
        if library.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def offer_to_oom_killer(process_id: int) -> None:
    """Let this process, and those that it starts from now on, die before any other when memory runs out.

    So the runner is left to tell of it and to save the work. A process that has ended, or a kernel that forbids it, is
    no reason to stop.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path(f"/proc/{process_id}/oom_score_adj").write_text(FIRST_TO_DIE)
