"""One task's process on this machine."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from outpost_local.isolation import Isolation
from outpost_local.process_table import find_first_descendant

_KILL_SECONDS = 2


@dataclass(frozen=True)
class TaskCommand:
    """What a container would run, with which environment, and where.

    Everything of it lies in `folder`, which it may know by another name, as it does its working folder.
    """

    arguments: list[str]
    environment: dict[str, str]
    folder: Path
    working_folder: Path


class TaskProcess:
    """Started when made. Ends with its command, with `kill`, or with this process."""

    def __init__(self, command: TaskCommand, isolation: Isolation) -> None:
        self._folder = command.folder
        self._depth = 2 if isolation.prefix else 1
        self._process = subprocess.Popen(
            isolation.init_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", os.defpath)},
            start_new_session=True,
        )
        line = isolation.describe_task(command.arguments, command.environment, command.folder, command.working_folder)
        self._send(line.encode())

    @property
    def output(self) -> IO[bytes]:
        """Standard output and standard error, as one stream, as awslogs has them."""
        if self._process.stdout is None:
            raise RuntimeError("The task's output is not a pipe.")
        return self._process.stdout

    @property
    def process_id(self) -> int | None:
        """Of the command itself, as seen from outside; None before it has started or after it has ended."""
        return find_first_descendant(self._process.pid, self._depth)

    def terminate(self) -> None:
        self._send(b"TERM\n")

    def kill(self) -> None:
        """SIGKILL to everything of the task. The first process does it when its standard input ends."""
        self._close_input()
        if self.wait(_KILL_SECONDS) is None:
            self._process.kill()

    def wait(self, timeout_seconds: float) -> int | None:
        """The exit code as ECS tells it, 128 + n after signal n; None while the task runs."""
        try:
            code = self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return None
        return code if code >= 0 else 128 - code

    def clean_up(self, forget_folder: Callable[[Path], None]) -> None:
        self._close_input()
        if self._process.stdout is not None:
            self._process.stdout.close()
        forget_folder(self._folder)

    def _send(self, line: bytes) -> None:
        # Written past the buffer: closing a buffered pipe whose reader is gone would try to write again.
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(OSError, ValueError):  # it has just ended, and `wait` will say how
                os.write(self._process.stdin.fileno(), line)

    def _close_input(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()


def remove_folder(folder: Path) -> None:
    """Agents leave folders without write permission behind; removing those needs it back."""

    def restore_and_retry(function: Callable[[str], object], path: str, _: object) -> None:
        with contextlib.suppress(OSError):
            Path(path).parent.chmod(0o700)
            Path(path).chmod(0o700)
            function(path)

    shutil.rmtree(folder, onerror=restore_and_retry)
    shutil.rmtree(folder, ignore_errors=True)
