"""Chromium without a window, in a folder and a process group of its own, of which nothing is left afterwards."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which

CHROMIUM = which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SECONDS_TO_END = 10


@contextmanager
def browse(url: str, folder: Path) -> Iterator[None]:
    """The browser with the page, for as long as the context lasts; the empty folder becomes its profile."""
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder}", url]
    output = (folder.parent / "chromium.log").open("wb")
    with output, subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True) as browser:
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(browser.pid, signal.SIGKILL)
            browser.wait()
            _kill_rest(folder)


def processes_of(folder: Path) -> list[int]:
    """The processes of the browser whose profile is the folder: each has it on its command line."""
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if str(folder) in _read(path)]


def _kill_rest(folder: Path) -> None:
    """Those that left the group: the handler of crashes does."""
    deadline = time.monotonic() + _SECONDS_TO_END
    while (rest := processes_of(folder)) and time.monotonic() < deadline:
        for process_id in rest:
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
        time.sleep(0.05)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""  # it has ended meanwhile
