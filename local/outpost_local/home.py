"""The folder of a running stack, and those of stacks that were killed before they could remove theirs."""

import fcntl
import os
import tempfile
from pathlib import Path

from outpost_local.task_process import remove_folder

PREFIX = "outpost-local-"
LOCK = "lock"

# Held as long as the folder is wanted: the system lets go of it however the process ends.
_locks: dict[Path, int] = {}


def make_home() -> Path:
    """A fresh folder that nobody takes for abandoned as long as this process lives."""
    home = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    lock = os.open(home / f"{LOCK}.new", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    # It has its name only once it is locked.
    (home / f"{LOCK}.new").rename(home / LOCK)
    _locks[home] = lock
    return home


def remove_home(home: Path) -> None:
    """The end of the folder."""
    remove_folder(home)
    os.close(_locks.pop(home))


def remove_abandoned_homes() -> None:
    """Remove this user's folders whose process has ended."""
    for lock_path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        try:
            lock = os.open(lock_path, os.O_RDWR)
        except OSError:
            continue  # another user's, or just removed
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue  # its stack is up
        else:
            remove_folder(lock_path.parent)
        finally:
            os.close(lock)
