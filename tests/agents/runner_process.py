"""The real runner as a process, and what it showed and left."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from .scripted_platform import BOOTSTRAP_TOKEN, ScriptedPlatform

AGENTS = Path(__file__).parents[2] / "agents"


@dataclass
class RunnerProcess:
    """One runner; its output is read at once, so that its pipe is never full."""

    process: subprocess.Popen[bytes]
    raw: bytearray = field(default_factory=bytearray)
    started_at: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    peak_memory_mb: float = 0.0

    def __post_init__(self) -> None:
        # How much of the output there was, and when.
        self._moments: list[tuple[int, float]] = []
        self._reads_on = True
        self._may_read = threading.Event()
        self._may_read.set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def stand_still(self) -> None:
        """Keep our end of its output open and read no more, as a log driver that hangs."""
        self._may_read.clear()

    def stop_reading(self) -> None:
        """Close our end of its output, at the next block."""
        self._reads_on = False

    def wait_until_it_shows(self, text: str, seconds: float = 15) -> None:
        ends_at = time.monotonic() + seconds
        while text not in self.raw.decode(errors="replace"):
            assert time.monotonic() < ends_at, f"{text!r} never came: {self.raw[-2000:]!r}"
            time.sleep(0.02)

    def wait_until_it_catches_signals(self) -> None:
        while not self._caught_signals() & 1 << (signal.SIGTERM - 1):
            time.sleep(0.01)

    def _caught_signals(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"SigCgt:\s+(\w+)", status)[1], 16)

    def wait(self, seconds: float = 40) -> int:
        """The exit code; an unfinished runner is killed and fails the test."""
        try:
            while self.process.poll() is None:
                assert time.monotonic() - self.started_at < seconds, f"the runner hangs: {self.raw[-2000:]!r}"
                self._measure()
                time.sleep(0.02)
        finally:
            self.process.kill()
            self.process.wait()
        self.seconds = time.monotonic() - self.started_at
        self._may_read.set()
        self._reader.join(5)
        return self.process.returncode

    def lines(self, stream: str) -> list[str]:
        records = [json.loads(line) for line in self.raw.decode().splitlines()]
        return [record["message"] for record in records if record["stream"] == stream]

    def seconds_between(self, first: str, last: str) -> float:
        """From when it showed the one text to when it showed the other."""
        return self._moment_of(last) - self._moment_of(first)

    def _moment_of(self, text: str) -> float:
        place = self.raw.index(text.encode())
        return next(moment for size, moment in self._moments if size > place)

    def _measure(self) -> None:
        """The kernel's high-water mark of this one process."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        self.peak_memory_mb = int(found[1]) / 1024 if found else self.peak_memory_mb

    def _read(self) -> None:
        with self.process.stdout as pipe:
            while self._reads_on and self._may_read.wait() and (block := os.read(pipe.fileno(), 1 << 20)):
                self.raw += block
                self._moments.append((len(self.raw), time.monotonic()))


def start_runner(
    platform: ScriptedPlatform,
    task_root: Path,
    *,
    python: str = sys.executable,
    user: int | None = None,
    **environment: str,
) -> RunnerProcess:
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(AGENTS),
        "PYTHONDONTWRITEBYTECODE": "1",
        "RUN_ID": "01TESTRUN",
        "TENANT_ID": "tenant",
        "ATTEMPT": "1",
        "API_URL": f"{platform.url}/stage",
        "BOOTSTRAP_TOKEN": BOOTSTRAP_TOKEN,
        "OUTPOST_TASK_ROOT": str(task_root),
        **environment,
    }
    process = subprocess.Popen(
        [python, "-m", "outpost_runner"],
        env={name: value for name, value in variables.items() if value},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=user,
    )
    return RunnerProcess(process)
