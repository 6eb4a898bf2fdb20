"""A run that begins at a commit begins there, wherever its branch is now."""

import pytest

from outpost_local.git_server import GitServer

from .repository import apply_to_fresh_checkout, git
from .scripted_platform import NO_CREDENTIALS

EMPTY_COMMIT = "01b2dcb2513a23ba3675b3e50ec6b8f3e0070fea"
PASSWORD = "git-password-0123456789"
WHERE = "git rev-parse HEAD; git rev-parse --abbrev-ref HEAD; git status --porcelain --branch"


@pytest.fixture
def first(repository, tmp_path):
    """The commit that main was at before it moved on."""
    commit = git(repository, "rev-parse", "main")
    move_on(repository, tmp_path / "later")
    return commit


def move_on(repository, checkout):
    git(checkout.parent, "clone", "--quiet", str(repository), str(checkout))
    (checkout / "README.md").write_text("Later\n")
    git(checkout, "commit", "--quiet", "--all", "--message=Later")
    git(checkout, "push", "--quiet", "origin", "HEAD:main")


@pytest.fixture
def begin_at(platform, run, git_url):
    def begin(commit, branch=None, task=WHERE, **claim):
        platform.claim["run"]["repo"] = {"url": git_url, "branch": branch, "mayRedirect": True, "commit": commit}
        return run(task, **claim)

    return begin


def test_it_is_checked_out_under_its_branchs_name(platform, begin_at, first):
    runner = begin_at(first, "main")
    assert runner.lines("stdout") == [first, "main", "## main...origin/main"]
    assert platform.completion["result"]["baseSha"] == first


def test_without_a_branch_it_is_checked_out_under_the_default_branchs_name(begin_at, first):
    assert begin_at(first).lines("stdout") == [first, "main", "## main...origin/main"]


def test_without_any_branch_to_name_it_is_checked_out_alone(begin_at, first, repository):
    git(repository, "symbolic-ref", "HEAD", "refs/heads/nowhere")
    assert begin_at(first).lines("stdout") == [first, "HEAD", "## HEAD (no branch)"]


def test_a_branch_that_is_gone_still_gives_it_its_name(begin_at, repository):
    commit = git(repository, "rev-parse", "feature")
    git(repository, "branch", "--quiet", "-D", "feature")
    assert begin_at(commit, "feature").lines("stdout")[:2] == [commit, "feature"]


def test_it_comes_alone_and_with_its_files(begin_at, first):
    assert begin_at(first, task="cat README.md; git rev-list --all --count").lines("stdout") == ["Hello", "1"]


def test_its_patch_fits_it(platform, begin_at, first, repository, tmp_path):
    begin_at(first, task="echo more >> README.md")
    git(repository, "update-ref", "refs/heads/main", first)
    fresh = apply_to_fresh_checkout(repository, platform.objects["changes.patch"], tmp_path / "fresh")
    assert (fresh / "README.md").read_text() == "Hello\nmore\n"


def test_one_that_is_not_there_any_more_is_told(platform, begin_at, task_root):
    assert begin_at("1" * 40, task="touch started").process.returncode == 12
    error = {"code": "CLONE_FAILED", "message": f"The repository has the commit {'1' * 40} no more."}
    assert platform.completion["error"] == error
    assert not (task_root / "workspace" / "started").exists()


@pytest.mark.parametrize("branch", ["-x", "--upload-pack=touch x", "a..b", "refs/heads/../x"])
def test_a_branch_whose_name_is_none_is_told(platform, begin_at, first, branch):
    assert begin_at(first, branch).process.returncode == 12
    assert platform.completion["error"]["code"] == "CLONE_FAILED"


def test_a_repository_that_does_not_exist_is_told(platform, run, git_url):
    platform.claim["run"]["repo"] = {"url": git_url.replace("project", "none"), "branch": None, "commit": "1" * 40}
    assert run("true").process.returncode == 12
    assert "none.git/' not found" in platform.completion["error"]["message"]


def test_a_claim_with_a_commit_that_is_none_cannot_be_read(begin_at):
    assert begin_at("--help").process.returncode == 21


def test_a_private_repository_gives_it_to_the_runs_credential(platform, run, repository, first):
    with GitServer(repository.parent, credential=("x-access-token", PASSWORD)) as server:
        url = f"{server.url}/{repository.name}"
        platform.claim["run"]["repo"] = {"url": url, "branch": None, "commit": first}
        credentials = NO_CREDENTIALS | {"git": {"username": "x-access-token", "password": PASSWORD}}
        assert run(WHERE, credentials=credentials).lines("stdout")[:2] == [first, "main"]


def test_the_empty_beginning_of_a_repository_without_commits_is_made_again(platform, run, tmp_path):
    git(tmp_path, "init", "--quiet", "--bare", "served/empty.git")
    with GitServer(tmp_path / "served") as server:
        url = f"{server.url}/empty.git"
        platform.claim["run"]["repo"] = {"url": url, "branch": None}
        run("true")
        platform.claim["run"]["repo"]["commit"] = platform.completion["result"]["baseSha"]
        run("git remote get-url origin; echo first > first.txt", {"OUTPOST_TASK_ROOT": str(tmp_path / "again")})
    assert platform.completion["result"]["baseSha"] == EMPTY_COMMIT
    assert platform.completion["result"]["filesChanged"] == 1
