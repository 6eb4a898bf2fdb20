"""The real template on the embedded AWS."""

from collections.abc import Iterator
from dataclasses import replace
from secrets import token_hex

import pytest
from deployment import ROOT
from forge import Forge
from gits import git
from stack_caller import Caller, call_stack

from outpost_local import LocalStack
from outpost_local.git_server import GitServer

from ..agents.promotion.github_server import GitHubServer
from ..agents.promotion.upstream import Upstream


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


@pytest.fixture(scope="module")
def forge(tmp_path_factory) -> Iterator[Forge]:
    """A GitHub of its own: nobody reads or pushes without its token, and its one repository is acme/project."""
    folder = tmp_path_factory.mktemp("forge")
    made = Upstream.make(folder)
    served = folder / "git" / "acme"
    served.mkdir(parents=True)
    upstream = replace(made, bare=made.bare.rename(served / "project.git"))
    token = f"ghp_{token_hex(18)}"
    repositories = GitServer(served.parent, credential=("x-access-token", token), can_push=True)
    with repositories as git_server, GitHubServer(upstream, token) as github:
        yield Forge(git_server.url, github, upstream, token)
    assert github.faults == []


@pytest.fixture(scope="module")
def forge_stack(forge) -> Iterator[LocalStack]:
    """The whole stack, whose git host is the forge."""
    parameters = {"GitBaseUrl": forge.url, "GitApiUrl": forge.github.url, "RequestsPerMinute": "100000"}
    with LocalStack.start(ROOT / "template.yaml", parameters) as running:
        yield running


@pytest.fixture(scope="module")
def worker(forge_stack, forge) -> Iterator[Caller]:
    """A caller whose tenant has given Outpost its token for the forge."""
    with call_stack(forge_stack) as calling:
        assert calling.http.put("/secrets/github", json={"value": forge.token}).status_code == 201
        yield calling
