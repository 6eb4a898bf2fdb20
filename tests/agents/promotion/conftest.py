"""What the promotion's tests share: a control plane, a repository, a GitHub, and the program as a process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from outpost_local.git_server import GitServer
from outpost_runner.git import Git
from outpost_runner.process import Watch
from outpost_runner.promotion.session import CONFIGURATION

from ..runner_process import AGENTS, RunnerProcess
from ..scripted_platform import BOOTSTRAP_TOKEN, PlatformServer
from .github_server import REPOSITORY, GitHubServer
from .promotion_platform import BRANCH, RUN_ID, SESSION_TOKEN, PromotionPlatform
from .upstream import Upstream, change_line

Start = Callable[..., RunnerProcess]


@pytest.fixture
def token(mark: str) -> str:
    """The credential that may write: a text that is in the command line of no other process."""
    return mark


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Upstream:
    return Upstream.make(tmp_path_factory.mktemp("upstream"))


@pytest.fixture(scope="session")
def small_patch(template: Upstream) -> bytes:
    """One line of src/main.py is changed."""
    return template.make_patch(lambda tree: (tree / "src/main.py").write_bytes(change_line(10, "changed")))


@pytest.fixture
def upstream(template: Upstream, tmp_path: Path) -> Upstream:
    return template.copy_to(tmp_path)


@pytest.fixture
def plain_git(upstream: Upstream, tmp_path: Path) -> Git:
    """The program's own git, in the repository itself."""
    watch = Watch(lambda: time.monotonic() + 10, lambda: False)
    return Git(upstream.bare, tmp_path, watch, configuration=CONFIGURATION)


@pytest.fixture
def git_url(upstream: Upstream, token: str) -> Iterator[str]:
    with GitServer(upstream.bare.parent, credential=("x-access-token", token), can_push=True) as server:
        yield f"{server.url}/{upstream.bare.name}"


@pytest.fixture
def github(upstream: Upstream, token: str) -> Iterator[GitHubServer]:
    with GitHubServer(upstream, token) as server:
        yield server
    assert server.faults == []


@pytest.fixture
def platform(
    upstream: Upstream, small_patch: bytes, git_url: str, github: GitHubServer, token: str
) -> Iterator[PromotionPlatform]:
    with PlatformServer(PromotionPlatform()) as server:
        server.platform.claim = {
            "sessionToken": SESSION_TOKEN,
            "deadlineSeconds": 60,
            "run": {"runId": RUN_ID, "agent": "claude", "modelId": "some-model", "summary": "Changed a line."},
            "repo": {"url": git_url},
            "baseSha": upstream.base,
            "baseBranch": "main",
            "patch": server.platform.store(small_patch),
            "branch": BRANCH,
            "title": "Change a line",
            "body": "What was changed, and why.\n",
            "draft": False,
            "author": {"name": "Outpost", "email": "outpost@example.com"},
            "coAuthor": None,
            "trailers": {"Outpost-Run": RUN_ID},
            "git": {"username": "x-access-token", "password": token},
            "host": {"kind": "github", "apiUrl": github.url, "repository": REPOSITORY},
        }
        yield server.platform
    assert server.platform.faults == []


@pytest.fixture
def start(platform: PromotionPlatform, task_root: Path, tmp_path: Path) -> Iterator[Start]:
    """Start the promotion in a new folder, with changes to the claim's top level and to the environment."""
    started: list[RunnerProcess] = []

    def start_it(environment: dict[str, str] | None = None, **claim: Any) -> RunnerProcess:
        platform.claim.update(claim)
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(AGENTS),
            "PYTHONDONTWRITEBYTECODE": "1",
            "RUN_ID": RUN_ID,
            "TENANT_ID": "tenant",
            "ATTEMPT": str(len(started) + 1),
            "API_URL": f"{platform.url}/stage",
            "BOOTSTRAP_TOKEN": BOOTSTRAP_TOKEN,
            "OUTPOST_TASK_ROOT": str(task_root / str(len(started))),
            **(environment or {}),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "outpost_runner", "promotion"],
            env={name: value for name, value in variables.items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started.append(RunnerProcess(process))
        return started[-1]

    yield start_it
    for runner in started:
        runner.process.kill()
        runner.process.wait()


@pytest.fixture
def run(start: Start) -> Start:
    """As `start`, and wait for the end."""

    def run_it(environment: dict[str, str] | None = None, **claim: Any) -> RunnerProcess:
        runner = start(environment, **claim)
        runner.wait()
        return runner

    return run_it


@pytest.fixture
def error(platform: PromotionPlatform) -> Callable[[], dict[str, str]]:
    """The error that was told of the last promotion."""
    return lambda: platform.completion["error"]


@dataclass(frozen=True)
class HeldPush:
    """A push that the repository's server has got and does not answer, until the test is over."""

    mark: Path

    def wait(self, seconds: float = 15) -> None:
        ends_at = time.monotonic() + seconds
        while not self.mark.exists():
            assert time.monotonic() < ends_at, "the push never came"
            time.sleep(0.02)


@pytest.fixture
def held_push(upstream: Upstream, git_url: str, tmp_path: Path) -> Iterator[HeldPush]:
    held, over = tmp_path / "held", tmp_path / "over"
    upstream.hook("pre-receive", f"touch {held}; until [ -e {over} ]; do sleep 0.05; done; exit 1")
    yield HeldPush(held)
    over.touch()
