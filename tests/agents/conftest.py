"""What the runner's tests share: a scripted platform, a git server, and the runner as a process."""

import socket
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from outpost_local.git_server import GitServer

from .repository import make_bare_repository
from .runner_process import RunnerProcess, start_runner
from .scripted_platform import PlatformServer, ScriptedPlatform

Start = Callable[..., RunnerProcess]


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with PlatformServer(ScriptedPlatform()) as serving:
        yield serving


@pytest.fixture
def platform(server: PlatformServer) -> ScriptedPlatform:
    return server.platform


@pytest.fixture
def task_root(tmp_path: Path) -> Path:
    return tmp_path / "task"


@pytest.fixture
def start(platform: ScriptedPlatform, task_root: Path) -> Iterator[Start]:
    """Start the runner on a task text, with changes to the claim's top level and to the environment."""
    started: list[RunnerProcess] = []

    def start_it(task: str = "true", environment: dict[str, str] | None = None, **claim: Any) -> RunnerProcess:
        platform.claim["run"]["task"] = task
        platform.claim.update(claim)
        started.append(start_runner(platform, task_root, **(environment or {})))
        return started[-1]

    yield start_it
    for runner in started:
        runner.process.kill()
        runner.process.wait()


@pytest.fixture
def run(start: Start) -> Start:
    """As `start`, and wait for the end."""

    def run_it(task: str = "true", environment: dict[str, str] | None = None, **claim: Any) -> RunnerProcess:
        runner = start(task, environment, **claim)
        runner.wait()
        return runner

    return run_it


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    files = {"README.md": b"Hello\n", "src/main.py": b"print('hi')\n", "data.bin": bytes(range(256)) * 8}
    return make_bare_repository(tmp_path, "project", files)


@pytest.fixture
def git_url(repository: Path) -> Iterator[str]:
    with GitServer(repository.parent) as server:
        yield f"{server.url}/{repository.name}"


@pytest.fixture
def cloned(platform: ScriptedPlatform, git_url: str) -> str:
    """The run's repository is the one of the fixture `repository`, on its default branch."""
    platform.claim["run"]["repo"] = {"url": git_url, "branch": None}
    return git_url


@pytest.fixture
def silent_url() -> Iterator[str]:
    """Of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def mark() -> str:
    """A text that is in the command line of no other process."""
    return f"mark-{uuid.uuid4().hex}"


@pytest.fixture
def living(mark: str) -> Callable[[], list[str]]:
    """The command lines of the living processes that carry the mark."""

    def find() -> list[str]:
        lines = [_command_line(folder) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
        return [line for line in lines if mark in line]

    return find


@pytest.fixture
def at_work(task_root: Path) -> Callable[[], list[str]]:
    """The command lines of the living processes that work in the task's folders, whoever started them."""

    def find() -> list[str]:
        folders = [folder for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
        return [_command_line(folder) for folder in folders if _working_folder(folder).startswith(str(task_root))]

    return find


def _working_folder(process: Path) -> str:
    try:
        return str((process / "cwd").readlink())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
