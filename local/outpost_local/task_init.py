"""The first process of a local task: walls it in, runs its command, passes on the stop, leaves nothing behind.

Run by path in a bare interpreter, so it knows the standard library only. Standard input has one JSON line with what to
do, then "TERM" when the task is to stop; its end means that the stack is gone, and so is the task.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time

_MS_BIND, _MS_REC = 4096, 16384
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 24, 36, 38
# Module loading, raw I/O, tracing others, administering mounts, rebooting, making devices.
_DROPPED_CAPABILITIES = (16, 17, 19, 21, 22, 27)


def main() -> int:
    wanted = json.loads(_read_line())
    libc = ctypes.CDLL(None, use_errno=True)
    if wanted["isolated"]:
        _wall_in(libc, wanted["hidden"], wanted["shown"])
    elif sys.platform == "linux":
        # Orphans of the task come to this process instead of the machine's init, so that they can be found.
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        _run_command(libc, wanted)
    try:
        return _follow(child, wake_read)
    finally:
        if not wanted["isolated"]:
            _kill_descendants(child)


def _read_line() -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        received = os.read(0, 1)
        if not received:
            sys.exit(125)
        line += received
    return bytes(line)


def _wall_in(libc: ctypes.CDLL, hidden: list[str], shown: dict[str, str]) -> None:
    """Empty the hidden folders, and show what the task keeps where it is to find it."""
    handles = [(os.open(path, os.O_PATH | os.O_DIRECTORY), path, place) for path, place in shown.items()]
    for folder in hidden:
        _mount(libc, "tmpfs", folder, kind="tmpfs", flags=_MS_NOSUID | _MS_NODEV, data="mode=1777")
    for handle, path, place in handles:
        is_hidden = any(os.path.commonpath([folder, path]) == folder for folder in hidden)
        if is_hidden or place != path:
            os.makedirs(place, exist_ok=True)  # noqa: PTH103 - a bare interpreter starts faster without pathlib
            _mount(libc, f"/proc/self/fd/{handle}", place, kind="", flags=_MS_BIND | _MS_REC)
        os.close(handle)
    _mount(libc, "proc", "/proc", kind="proc", flags=_MS_NOSUID | _MS_NODEV | _MS_NOEXEC)


def _mount(libc: ctypes.CDLL, source: str, target: str, *, kind: str, flags: int, data: str = "") -> None:
    if libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def _run_command(libc: ctypes.CDLL, wanted: dict[str, object]) -> None:
    """In the child; ends in the command or in exit code 127."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if wanted["isolated"]:
            for capability in _DROPPED_CAPABILITIES:
                libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
            libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        os.chdir(str(wanted["folder"]))
        command, environment = wanted["command"], wanted["environment"]
        if isinstance(command, list) and isinstance(environment, dict):
            os.execvpe(command[0], command, environment)  # noqa: S606 - a list, and no shell
    except OSError as error:
        os.write(2, f"{error}\n".encode())
    finally:
        os._exit(127)


def _follow(child: int, wake_read: int) -> int:
    """Reap everything until the command has ended, and pass on its exit code."""
    watched = [0, wake_read]
    while True:
        readable, _, _ = select.select(watched, [], [])
        if wake_read in readable:
            os.read(wake_read, 4096)
            status = _reap(child)
            if status is not None:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
        if 0 in readable:
            order = os.read(0, 64)
            if not order:
                return 137
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)


def _reap(child: int) -> int | None:
    """The command's status, when it is among those that have ended."""
    found = None
    with contextlib.suppress(ChildProcessError):
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                break
            if process == child:
                found = status
    return found


def _kill_descendants(child: int) -> None:
    """Without a namespace of its own a task is a process group, and on Linux whatever it has left to this process."""
    for _ in range(50):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        left = _children_of_this_process()
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        _reap(0)
        if not left:
            return
        time.sleep(0.01)


def _children_of_this_process() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as children:  # noqa: PTH123
            return [int(process) for process in children.read().split()]
    except FileNotFoundError:
        return []  # not Linux: the process group is all there is


if __name__ == "__main__":
    sys.exit(main())
