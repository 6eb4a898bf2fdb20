"""Runs a program under supervision: its own session, a clean environment, a deadline, and no survivors."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import IO

from outpost_runner.agent_user import AgentUser
from outpost_runner.descendants import kill_descendants, reap_children, signal_descendants
from outpost_runner.linux import offer_to_oom_killer

POLL_SECONDS = 0.05
KILL_WITHIN_SECONDS = 5.0


class Ending(Enum):
    EXITED = auto()
    DEADLINE = auto()
    STOPPED = auto()


class ProgramNotStarted(Exception):
    """The program is not there or may not be run."""


@dataclass(frozen=True)
class Command:
    argv: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    user: AgentUser | None = None


@dataclass(frozen=True)
class Watch:
    """When to stop waiting for a program; both are asked again and again."""

    deadline: Callable[[], float]
    should_stop: Callable[[], bool]


class SupervisedProcess:
    """At most one lives at a time: to end it is to kill every descendant of this process."""

    def __init__(
        self,
        command: Command,
        *,
        stdout: int | IO[bytes],
        stderr: int | IO[bytes],
        stdin: int | IO[bytes] = subprocess.DEVNULL,
    ) -> None:
        self._user = user = command.user
        try:
            self._process = subprocess.Popen(
                list(command.argv),
                cwd=command.folder,
                env=dict(command.environment),
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                umask=0o022,
                user=None if user is None else user.user_id,
                group=None if user is None else user.group_id,
                extra_groups=None if user is None else [],
            )
        except (OSError, ValueError) as error:
            raise ProgramNotStarted(f"{command.argv[0]} could not be started: {error}") from error
        offer_to_oom_killer(self._process.pid)

    @property
    def stdout(self) -> IO[bytes]:
        return _require_pipe(self._process.stdout)

    @property
    def stderr(self) -> IO[bytes]:
        return _require_pipe(self._process.stderr)

    def wait(self, watch: Watch) -> Ending:
        """Wait for the main process only: what it leaves behind, or its output still open, is no reason to go on."""
        while True:
            try:
                self._process.wait(timeout=POLL_SECONDS)
                return Ending.EXITED
            except subprocess.TimeoutExpired:
                now = time.monotonic()
            if watch.should_stop():
                return Ending.STOPPED
            if now >= watch.deadline():
                return Ending.DEADLINE
            reap_children(self._process)

    def end(self, grace_seconds: float) -> bool:
        """SIGTERM when it still runs, then SIGKILL to it and everything that it started; True when all are gone."""
        if self._process.poll() is None:
            self._signal_all(signal.SIGTERM)
            self._await_all(grace_seconds)
        if sys.platform != "linux":
            self._signal_all(signal.SIGKILL)
            self._process.wait()
        return kill_descendants(KILL_WITHIN_SECONDS, main=self._process, user=self._user)

    def exit_code(self) -> int | None:
        """The exit code, 128 + n for one that signal n ended, None while it lives."""
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def _await_all(self, seconds: float) -> None:
        gives_up_at = time.monotonic() + seconds
        while time.monotonic() < gives_up_at:
            if self._process.poll() is not None and reap_children(self._process):
                return
            time.sleep(POLL_SECONDS)

    def _signal_all(self, number: signal.Signals) -> None:
        if sys.platform == "linux":
            signal_descendants(number)
            return
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # nobody is left in the group


def _require_pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("This output does not go into a pipe.")
    return pipe
