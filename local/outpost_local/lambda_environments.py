"""Starts execution environments by way of the preloaded process, and speaks with them over a socket."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

# By path: importing it through the package would import moto into every environment.
_WORKER = Path(__file__).with_name("lambda_worker.py")
_START_TIMEOUT_SECONDS = 30


class EnvironmentGone(Exception):
    """The process of an execution environment has ended."""


class ExecutionEnvironment:
    """One process with one function loaded."""

    def __init__(self, connection: socket.socket, answers: IO[bytes], process_id: int, log_stream: str) -> None:
        self.log_stream = log_stream
        self.usable = True
        self._connection = connection
        self._answers = answers
        self._process_id = process_id

    def ask(self, request: str, timeout_seconds: float) -> dict[str, Any]:
        """Raises TimeoutError or EnvironmentGone; either way the environment is of no more use."""
        try:
            self._connection.settimeout(timeout_seconds)
            self._connection.sendall(request.encode() + b"\n")
            line = self._answers.readline()
        except TimeoutError:
            raise
        except (OSError, ValueError) as error:
            raise EnvironmentGone from error
        if not line.endswith(b"\n"):
            raise EnvironmentGone
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        if self.usable:
            self.usable = False
            with contextlib.suppress(ProcessLookupError):  # it ended by itself, and its parent has reaped it
                os.kill(self._process_id, signal.SIGKILL)
            self._answers.close()
            self._connection.close()


class Zygote:
    """The process that has imported the libraries, and forks on demand."""

    def __init__(self, home: Path, base_environment: dict[str, str], import_path: list[Path]) -> None:
        self._log = home / "functions.log"
        self._log.touch(mode=0o600)
        self._environment = base_environment
        self._import_path = [str(path) for path in import_path]
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs, self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_WORKER)],
                stdin=theirs.fileno(),
                stdout=log,
                stderr=log,
                env=_process_environment(),
                # Ctrl-C goes to the terminal's whole process group, and the stack stops its processes itself.
                start_new_session=True,
            )

    @property
    def log_path(self) -> Path:
        return self._log

    def start_environment(
        self, folder: Path, handler: str, variables: dict[str, str], log_stream: str
    ) -> ExecutionEnvironment:
        """Raises OSError when the process is gone."""
        wanted = {
            "path": [str(folder), *self._import_path],
            "handler": handler,
            "log": str(self._log),
            "environment": {**self._environment, **variables},
        }
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            # One byte carries the socket, the line says what for.
            socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            self._control.sendall(json.dumps(wanted).encode() + b"\n")
        ours.settimeout(_START_TIMEOUT_SECONDS)
        answers = ours.makefile("rb")
        return ExecutionEnvironment(ours, answers, int(answers.readline()), log_stream)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._control.close()


def _process_environment() -> dict[str, str]:
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONDONTWRITEBYTECODE") if name in os.environ
    }
    # macOS lets a process that was forked without exec use the network only with this.
    return {**kept, "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES", "PYTHONUTF8": "1"}
