"""The demo's repository and its report; the tour itself is tested with the whole stack."""

import io
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from outpost_cli import __version__
from outpost_cli.models.run import Run, RunStatus
from outpost_local.demo import choose_parameters
from outpost_local.demo_report import DemoReport
from outpost_local.demo_repository import BRANCH, check_patch_applies, make_repository

ADD_A_FILE = b"diff --git a/new b/new\nnew file mode 100644\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+hello\n"
CHANGE_A_MISSING_FILE = b"diff --git a/no b/no\n--- a/no\n+++ b/no\n@@ -1 +1 @@\n-a\n+b\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "file").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "one")
    return folder


@pytest.fixture
def report() -> DemoReport:
    return DemoReport(console=Console(file=io.StringIO(), width=200))


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_the_demo_works_on_a_clone_of_the_checkout(checkout, tmp_path):
    repository = make_repository(tmp_path / "served", checkout=checkout)
    bare = tmp_path / "served" / "demo" / "outpost.git"
    assert repository.origin == "this checkout"
    assert git(bare, "rev-parse", BRANCH) == git(checkout, "rev-parse", "HEAD")


def test_a_checkout_on_no_branch_still_gives_a_default_branch(checkout, tmp_path):
    git(checkout, "checkout", "--quiet", "--detach")
    make_repository(tmp_path / "served", checkout=checkout)
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{tmp_path}/served/demo/outpost.git", "cloned")
    assert (tmp_path / "cloned" / "file").read_text() == "one\n"


def test_a_variable_of_git_does_not_lead_to_another_repository(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert make_repository(tmp_path / "served", checkout=checkout).origin == "this checkout"


def test_without_a_repository_a_small_one_is_made(tmp_path):
    (tmp_path / "folder").mkdir()
    repository = make_repository(tmp_path / "served", checkout=tmp_path / "folder")
    assert repository.origin == "a small repository made for the demo"
    assert len(repository.commit) == 40


def test_a_repository_without_commit_is_as_none(tmp_path):
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "--quiet")
    assert make_repository(tmp_path / "served", checkout=tmp_path / "empty").origin.startswith("a small repository")


def test_a_patch_is_tried_on_a_fresh_clone(checkout, tmp_path):
    assert check_patch_applies(ADD_A_FILE, clone_url=f"file://{checkout}", folder=tmp_path / "a") is None
    refusal = check_patch_applies(CHANGE_A_MISSING_FILE, clone_url=f"file://{checkout}", folder=tmp_path / "b")
    assert "no" in str(refusal)


def test_the_stack_is_told_which_release_it_is(checkout, tmp_path):
    repository = make_repository(tmp_path / "served", checkout=checkout)
    commit = git(checkout, "rev-parse", "HEAD")
    told = {"GitBaseUrl": "http://git", "GitSha": commit, "Version": __version__}
    assert choose_parameters(repository, "http://git") == told


def test_of_code_whose_commit_is_unknown_no_commit_is_told(tmp_path):
    (tmp_path / "folder").mkdir()
    repository = make_repository(tmp_path / "served", checkout=tmp_path / "folder")
    assert choose_parameters(repository, "http://git") == {"GitBaseUrl": "http://git"}


def test_a_run_that_ended_otherwise_is_a_complaint(report, service):
    run = Run.from_document(service.make_run(status="FAILED"))
    report.add_run("times out", RunStatus.TIMEOUT, run)
    assert report.complaints == ["the run ended TIMEOUT"]
    assert report.console.file.getvalue() == "  NOT OK  the run ended TIMEOUT\n"


def test_a_run_that_ended_as_it_should_is_none(report, service):
    run = Run.from_document(service.make_run(status="TIMEOUT"))
    report.add_run("times out", RunStatus.TIMEOUT, run)
    assert report.complaints == []
    assert report.to_document()["runs"] == [{"title": "times out", "expected": "TIMEOUT", "run": run.document}]
