"""Finds out how far this machine lets a task be separated from everything else."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_INIT = Path(__file__).with_name("task_init.py")
_PROBE_TIMEOUT_SECONDS = 10
# Folders of the system that are mostly empty; nobody but root may write into them or into what is above them.
_PLACES = (Path("/srv"), Path("/media"), Path("/mnt"), Path("/opt"))
_AGENT_USER = "nobody"


@dataclass(frozen=True)
class Isolation:
    """How a task's first process is started, and what it hides from the task; `note` says what is missing.

    `place` is where a task finds its own folder: as in the images, beneath nothing that others may write into. It is
    None where the folder stays where it is.
    """

    prefix: tuple[str, ...]
    hidden: tuple[Path, ...]
    kept: tuple[Path, ...]
    place: Path | None
    note: str | None

    @property
    def is_complete(self) -> bool:
        return self.note is None

    @property
    def agent_user(self) -> str | None:
        """The agent's user, as the images have one: only root can become another, which can only pass to a place."""
        return _AGENT_USER if self.place is not None and os.geteuid() == 0 else None

    def init_command(self) -> list[str]:
        return [*self.prefix, sys.executable, "-I", "-S", str(_INIT)]

    def describe_task(self, command: list[str], environment: dict[str, str], folder: Path, working_folder: Path) -> str:
        """The line that the first process reads; `folder` is the task's own, as this process knows it."""
        shown = {str(path): str(path) for path in self.kept} | {str(folder): str(self.place or folder)}
        wanted = {
            "isolated": self.is_complete,
            "hidden": [str(path) for path in self.hidden],
            "shown": shown,
            "command": command,
            "environment": environment,
            "folder": str(working_folder),
        }
        return json.dumps(wanted) + "\n"


def choose_isolation(home: Path, kept: list[Path]) -> Isolation:
    """Namespaces of its own where a trial of them works here, otherwise process groups."""
    hidden = _folders_to_hide(home)
    wanted_paths = (path.resolve() for path in (Path(sys.prefix), Path(sys.base_prefix), *kept))
    kept_paths = tuple(dict.fromkeys(path for path in wanted_paths if path.exists()))
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return Isolation((), hidden, kept_paths, None, _describe_lack("this system has no namespaces"))
    as_user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    prefix = ("unshare", *as_user, "--mount", "--pid", "--fork", "--kill-child", "--")
    wanted = Isolation(prefix, hidden, kept_paths, _find_place(), None)
    failure = _try_out(wanted, home)
    return wanted if failure is None else Isolation((), hidden, kept_paths, None, _describe_lack(failure))


def _find_place() -> Path | None:
    """An empty folder: a task that has its own folder there misses nothing."""
    return next((path for path in _PLACES if path.is_dir() and not any(path.iterdir())), None)


def _folders_to_hide(home: Path) -> tuple[Path, ...]:
    """Shared temporary folders and the stack's own, outermost only: hiding one hides what is beneath."""
    candidates = [home, Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")]  # noqa: S108
    folders = sorted({path.resolve() for path in candidates if path.is_dir()})
    return tuple(
        folder for folder in folders if not any(other in folder.parents for other in folders if other != folder)
    )


def _try_out(isolation: Isolation, home: Path) -> str | None:
    folder = home / "trial"
    folder.mkdir()
    line = isolation.describe_task([sys.executable, "-I", "-S", "-c", ""], {}, folder, isolation.place or folder)
    # Not communicate(): the end of standard input would end the trial.
    read_end, write_end = os.pipe()
    os.write(write_end, line.encode())
    try:
        trial = subprocess.run(
            isolation.init_command(),
            stdin=read_end,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PROBE_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        os.close(read_end)
        os.close(write_end)
        folder.rmdir()
    output = trial.stderr.strip().splitlines() or [f"exit code {trial.returncode}"]
    return None if trial.returncode == 0 else output[-1]


def _describe_lack(reason: str) -> str:
    return (
        f"Tasks are separated by process group only ({reason}): a task could read another's files, "
        "and a process that it detaches on purpose may outlive it until the stack stops."
    )
