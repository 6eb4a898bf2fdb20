"""The branch is a new one of the promotion's own; what others have is never changed."""

import pytest

from outpost_local.git_server import GitServer
from outpost_runner.promotion.base import refuse_malformed
from outpost_runner.promotion.errors import PushRefused

from ..repository import git
from .promotion_platform import BRANCH, RUN_ID
from .upstream import change_line, git_that_first


def test_a_repetition_makes_no_second_commit_and_gives_the_same_pull_request(platform, run, upstream, github):
    run()
    first = platform.completion
    upstream.commit({"other.txt": b"the base branch moves on\n"})
    assert run().process.returncode == 0
    assert platform.completion == first
    assert len(github.pulls) == 1
    assert git(upstream.bare, "rev-list", "--count", f"main..{BRANCH}") == "1"


def test_the_same_promotion_makes_the_same_commit_at_any_time(platform, run, upstream):
    run(branch="first")
    run(branch="second")
    assert upstream.find("first") == upstream.find("second")


def test_a_branch_of_somebody_else_is_left_alone(platform, run, upstream, github, error):
    theirs = upstream.commit({"theirs.txt": b"theirs\n"}, branch=BRANCH)
    assert run().process.returncode == 10
    assert error()["code"] == "BRANCH_EXISTS"
    assert platform.completion["commit"] is None
    assert upstream.find(BRANCH) == theirs
    assert github.requests == []


def test_a_branch_of_another_run_is_left_alone(platform, run, upstream, error):
    run()
    theirs = upstream.find(BRANCH)
    other = RUN_ID.replace("TEST", "0THR")
    run(run={"runId": other}, trailers={"Outpost-Run": other})
    assert error()["code"] == "BRANCH_EXISTS"
    assert upstream.find(BRANCH) == theirs


@pytest.mark.parametrize("revision", ["main", "main~1"])
def test_a_branch_that_somebody_makes_meanwhile_is_left_alone(run, upstream, tmp_path, error, revision):
    theirs = git(upstream.bare, "rev-parse", revision)
    run(git_that_first(tmp_path, "push", f"git --git-dir={upstream.bare} branch --force {BRANCH} {theirs}"))
    assert error()["code"] == "BRANCH_EXISTS"
    assert upstream.find(BRANCH) == theirs


def test_a_push_whose_answer_was_lost_is_a_push(platform, run, upstream, tmp_path):
    environment = git_that_first(tmp_path, "push", 'git "$@"; exit 1')
    assert run(environment).process.returncode == 0
    assert platform.completion["commit"] == upstream.find(BRANCH)


@pytest.mark.parametrize("branch", ["main", "release"])
def test_the_default_and_the_base_branch_are_never_pushed_to(platform, run, upstream, error, branch):
    upstream.commit({"release.txt": b"release\n"}, branch="release")
    before = (upstream.find("main"), upstream.find("release"))
    assert run(branch=branch, baseBranch="release").process.returncode == 10
    assert error()["code"] == "PUSH_REFUSED"
    assert (upstream.find("main"), upstream.find("release")) == before


def test_without_a_base_branch_the_default_is_never_pushed_to(run, upstream, error):
    run(branch="main", baseBranch=None)
    assert error()["code"] == "PUSH_REFUSED"
    assert upstream.find("main") == upstream.base


def test_what_is_no_name_of_a_branch_is_refused(run, upstream, error):
    run(branch="a:b")
    assert error()["code"] == "PUSH_REFUSED"
    assert upstream.branches() == ["main"]


@pytest.mark.parametrize("branch", ["", "-x", "a..b", "a b", "HEAD", "@{-1}", "x.lock", "a:b", "*", "/a", "a\0"])
def test_no_other_name_is_one_of_a_branch(plain_git, branch):
    with pytest.raises(PushRefused):
        refuse_malformed(plain_git, branch)


def test_what_the_repository_says_of_a_refusal_is_told(platform, run, upstream, token, error):
    upstream.hook("pre-receive", f"echo 'Only on Mondays, {token}.' >&2; exit 1")
    assert run().process.returncode == 10
    assert error()["code"] == "PUSH_REFUSED"
    assert "(pre-receive hook declined); Only on Mondays, [redacted]." in error()["message"]
    assert platform.completion["commit"] is None


def test_a_credential_that_may_only_read_is_told(run, upstream, token, error):
    with GitServer(upstream.bare.parent, credential=("x-access-token", token)) as read_only:
        run(repo={"url": f"{read_only.url}/project.git"})
    assert error()["code"] == "PUSH_REFUSED"
    assert "403" in error()["message"]


def test_a_wrong_credential_is_told(run, upstream, error):
    run(git={"username": "x-access-token", "password": "wrong-token-0123456789"})
    assert error()["code"] == "CLONE_FAILED"
    assert "Authentication failed" in error()["message"]


def test_without_a_credential_nothing_is_tried(platform, run, error):
    assert run(git=None).process.returncode == 10
    assert error()["code"] == "GIT_TOKEN_MISSING"


def test_a_repository_that_cannot_be_reached_is_told(run, error):
    run(repo={"url": "http://127.0.0.1:9/project.git"})
    assert error()["code"] == "CLONE_FAILED"


@pytest.mark.parametrize("url", ["file://{path}", "{path}", "ext::touch% {path}", "--upload-pack=touch x"])
def test_other_protocols_than_http_are_refused(run, upstream, error, url):
    run(repo={"url": url.format(path=upstream.bare)})
    assert error()["code"] == "CLONE_FAILED"


def test_the_base_branchs_own_change_is_no_commit_of_ours(run, upstream):
    upstream.commit({"src/main.py": change_line(2, "theirs")})
    run()
    assert git(upstream.bare, "log", "--format=%s", f"main..{BRANCH}") == "Change a line"
