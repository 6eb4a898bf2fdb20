"""The workspace is the repository's branch, and what goes wrong with it has a name."""

import subprocess
import threading
from contextlib import contextmanager

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from outpost_local.git_server import GitServer

from .repository import git, make_bare_repository
from .scripted_platform import NO_CREDENTIALS

PASSWORD = "git-password-0123456789"
GIT_CREDENTIAL = NO_CREDENTIALS | {"git": {"username": "x-access-token", "password": PASSWORD}}


def repo(url, branch=None):
    return {"url": url, "branch": branch}


def test_the_default_branch_is_checked_out_alone_and_shallow(platform, run, cloned, repository):
    runner = run("cat README.md; git log --oneline | wc -l; git branch --format='%(refname:short)'")
    assert runner.lines("stdout") == ["Hello", "1", "main"]
    assert platform.completion["result"]["baseSha"] == git(repository, "rev-parse", "main")


def test_a_branch_is_checked_out(platform, run, git_url, repository):
    platform.claim["run"]["repo"] = repo(git_url, "feature")
    assert run("cat feature.txt").lines("stdout") == ["feature"]
    assert platform.completion["result"]["baseSha"] == git(repository, "rev-parse", "feature")


@pytest.mark.parametrize("branch", ["no-such-branch", "-x", "--upload-pack=touch x"])
def test_a_branch_that_does_not_exist_is_told(platform, run, git_url, branch):
    platform.claim["run"]["repo"] = repo(git_url, branch)
    runner = run("true")
    assert runner.process.returncode == 12
    assert platform.completion["outcome"] == "failed"
    assert platform.completion["error"]["code"] == "BRANCH_NOT_FOUND"
    assert platform.completion["result"] is None


def test_a_repository_that_does_not_exist_is_told(platform, run, git_url):
    platform.claim["run"]["repo"] = repo(git_url.replace("project", "nothing"))
    runner = run("true")
    assert runner.process.returncode == 12
    assert platform.completion["error"]["code"] == "CLONE_FAILED"
    assert "nothing.git/' not found" in platform.completion["error"]["message"]


@pytest.mark.parametrize("url", ["file://{path}", "{path}", "ssh://git@127.0.0.1{path}", "ext::git % {path}", "--help"])
def test_other_protocols_than_http_are_refused(platform, run, repository, url):
    platform.claim["run"]["repo"] = repo(url.format(path=repository))
    assert run("true").process.returncode == 12
    assert platform.completion["error"]["code"] == "CLONE_FAILED"


def test_an_address_with_a_credential_in_it_is_refused(platform, run, git_url):
    platform.claim["run"]["repo"] = repo(git_url.replace("http://", "http://someone:secret-password@"))
    run("true")
    assert "must not carry a credential" in platform.completion["error"]["message"]


@pytest.fixture
def private_url(repository):
    with GitServer(repository.parent, credential=("x-access-token", PASSWORD)) as server:
        yield f"{server.url}/{repository.name}"


def test_a_private_repository_is_cloned_with_the_runs_credential(platform, run, private_url):
    platform.claim["run"]["repo"] = repo(private_url)
    assert run("cat README.md", credentials=GIT_CREDENTIAL).lines("stdout") == ["Hello"]


def test_the_credential_stays_out_of_the_workspace_and_the_log(platform, run, private_url, task_root):
    platform.claim["run"]["repo"] = repo(private_url)
    runner = run("cat .git/config; env; git fetch 2>&1", credentials=GIT_CREDENTIAL)
    found = subprocess.run(["grep", "-r", PASSWORD, str(task_root)], capture_output=True, check=False)
    assert found.stdout == b""
    assert "[redacted]" not in runner.raw.decode()
    assert runner.process.returncode == 10


def test_a_missing_or_wrong_credential_fails_without_a_prompt(platform, run, private_url):
    platform.claim["run"]["repo"] = repo(private_url)
    wrong = NO_CREDENTIALS | {"git": {"username": "x-access-token", "password": "wrong-password"}}
    assert run("true", credentials=wrong).process.returncode == 12
    assert platform.completion["error"]["code"] == "CLONE_FAILED"
    assert "wrong-password" not in str(platform.completion)


def test_the_credential_is_offered_to_the_repositorys_server_only(platform, run, repository):
    with (
        GitServer(repository.parent, credential=("x-access-token", PASSWORD)) as other,
        redirecting_to(other.url) as url,
    ):
        platform.claim["run"]["repo"] = repo(f"{url}/{repository.name}")
        run("true", credentials=GIT_CREDENTIAL)
    assert platform.completion["error"]["code"] == "CLONE_FAILED"


def test_a_server_that_says_nothing_is_given_up(platform, run, silent_url):
    platform.claim["run"]["repo"] = repo(f"{silent_url}/project.git")
    runner = run("true", {"OUTPOST_CLONE_STALL_SECONDS": "1"})
    assert platform.completion["error"]["code"] == "CLONE_FAILED"
    assert runner.seconds < 8


def test_a_server_that_falls_silent_in_the_middle_is_given_up(platform, run):
    with stalling_server() as url:
        platform.claim["run"]["repo"] = repo(f"{url}/project.git")
        runner = run("true", {"OUTPOST_CLONE_STALL_SECONDS": "1"})
    assert platform.completion["error"]["code"] == "CLONE_FAILED"
    assert runner.seconds < 8


def test_the_clone_counts_as_run_time(platform, run, silent_url):
    platform.claim["run"]["repo"] = repo(f"{silent_url}/project.git")
    runner = run("true", timeoutSeconds=1)
    assert runner.process.returncode == 11
    assert platform.completion["outcome"] == "timeout"


def test_a_repository_without_any_commit_begins_empty(platform, run, tmp_path):
    git(tmp_path, "init", "--quiet", "--bare", "served/empty.git")
    with GitServer(tmp_path / "served") as server:
        platform.claim["run"]["repo"] = repo(f"{server.url}/empty.git")
        run("echo first > first.txt")
    assert platform.completion["result"]["filesChanged"] == 1


def test_without_a_repository_the_workspace_is_an_empty_git_directory(platform, run):
    runner = run("ls -A; git status --porcelain; git log --format=%s; git commit -q --allow-empty -m mine && echo ok")
    assert runner.lines("stdout") == [".git", "Empty directory", "ok"]
    result = platform.completion["result"]
    assert (result["filesChanged"], result["insertions"], result["deletions"]) == (0, 0, 0)
    assert result["headSha"] != result["baseSha"]


def test_hooks_and_submodules_of_a_repository_are_not_fetched(platform, run, tmp_path):
    make_bare_repository(tmp_path, "hooked", {"a": b"a\n"})
    with GitServer(tmp_path / "served") as server:
        platform.claim["run"]["repo"] = repo(f"{server.url}/hooked.git")
        runner = run("test -d .git/hooks && ls .git/hooks; true")
    assert runner.lines("stdout") == []


@contextmanager
def redirecting_to(target):
    """A server on another port that sends every request on to `target`."""

    @Request.application
    def answer(request):
        return Response(status=302, headers={"Location": target + request.full_path})

    with serving(answer) as url:
        yield url


@contextmanager
def serving(application):
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def stalling_server():
    """Begins its answer as a git server does, and sends no more of it."""
    over = threading.Event()

    @Request.application
    def answer(request):
        def begin():
            yield b"001e# service=git-upload-pack\n0000"
            over.wait(20)

        return Response(begin(), content_type="application/x-git-upload-pack-advertisement")

    with serving(answer) as url:
        yield url
        over.set()


@pytest.fixture
def redirecting_url(git_url):
    """An address that answers everything with where the repository really lies."""

    @Request.application
    def redirect(request: Request) -> Response:
        return Response(status=301, headers={"Location": f"{git_url.rsplit('/', 1)[0]}{request.full_path}"})

    server = make_server("127.0.0.1", 0, redirect)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/project.git"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_repository_that_has_moved_is_found(platform, run, redirecting_url):
    platform.claim["run"]["repo"] = repo(redirecting_url)
    assert run("cat README.md").lines("stdout") == ["Hello"]


def test_where_repositories_are_ruled_another_address_does_not_stand_for_one(platform, run, redirecting_url):
    platform.claim["run"]["repo"] = repo(redirecting_url) | {"mayRedirect": False}
    assert run("cat README.md").process.returncode == 12
    assert platform.completion["error"]["code"] == "CLONE_FAILED"
