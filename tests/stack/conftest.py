"""The real template on the embedded AWS."""

from collections.abc import Iterator

import pytest
from deployment import ROOT
from gits import git
from stack_caller import Caller, call_stack

from outpost_local import LocalStack
from outpost_local.git_server import GitServer


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Iterator[str]:
    """The URL of a git server with the repository acme/site, which has the branches main and topic."""
    folder = tmp_path_factory.mktemp("git")
    work = folder / "work"
    work.mkdir()
    git("init", folder=work)
    (work / "README.md").write_text("a site\n")
    (work / "logo.bin").write_bytes(bytes(range(256)))
    git("add", ".", folder=work)
    git("commit", "-m", "Begin", folder=work)
    git("checkout", "-b", "topic", folder=work)
    (work / "topic.txt").write_text("only on the branch\n")
    git("add", ".", folder=work)
    git("commit", "-m", "On a branch", folder=work)
    git("checkout", "main", folder=work)
    git("clone", "--bare", str(work), str(folder / "acme" / "site.git"), folder=folder)
    with GitServer(folder) as server:
        yield server.url


@pytest.fixture(scope="module")
def stack(repository) -> Iterator[LocalStack]:
    """The whole stack, once for a module: a process can have one up at a time."""
    with LocalStack.start(ROOT / "template.yaml", {"GitBaseUrl": repository, "RequestsPerMinute": "100000"}) as running:
        yield running


@pytest.fixture(scope="module")
def caller(stack) -> Iterator[Caller]:
    with call_stack(stack) as calling:
        yield calling
