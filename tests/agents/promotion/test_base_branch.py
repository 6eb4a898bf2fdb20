"""The work goes onto the base branch as it is now, or nowhere: what conflicts is told file by file."""

from ..repository import git
from .promotion_platform import BRANCH
from .upstream import change_line, git_that_first


def test_a_base_branch_that_moved_on_keeps_what_it_got(platform, run, upstream):
    head = upstream.commit({"src/main.py": change_line(1, "theirs"), "other.txt": b"other\n"})
    assert run().process.returncode == 0
    lines = upstream.read(BRANCH, "src/main.py").splitlines()
    assert (lines[0], lines[9]) == ("theirs", "changed")
    assert git(upstream.bare, "diff", "--name-only", "main", BRANCH) == "src/main.py"
    assert git(upstream.bare, "rev-parse", f"{BRANCH}^") == head


def test_a_file_that_the_base_branch_renamed_is_changed_under_its_new_name(run, upstream):
    upstream.commit({"src/moved.py": change_line(1, "line 1")}, removed=("src/main.py",))
    assert run().process.returncode == 0
    assert "changed" in upstream.read(BRANCH, "src/moved.py")


def test_conflicts_are_told_file_by_file_and_nothing_is_pushed(platform, run, upstream, github):
    def change(tree):
        (tree / "src/main.py").write_bytes(change_line(10, "changed"))
        (tree / "src/old.py").unlink()
        (tree / "data.bin").write_bytes(bytes(100))
        (tree / "README.md").write_text("Hello, all\n")
        (tree / "new.txt").write_text("ours\n")
        (tree / "without-conflict.txt").write_text("fine\n")

    files = {"src/main.py": change_line(10, "theirs"), "src/old.py": b"", "data.bin": b"\0", "new.txt": b"theirs\n"}
    upstream.commit(files, removed=("README.md",))
    runner = run(patch=platform.store(upstream.make_patch(change)))
    assert runner.process.returncode == 10
    assert platform.completion["error"] == {
        "code": "PROMOTION_CONFLICT",
        "message": "The run's patch conflicts with the base branch in 5 files.",
    }
    assert {conflict["path"]: conflict["reason"] for conflict in platform.completion["conflicts"]} == {
        "README.md": "The base branch or the run removed it, and the other one changed it.",
        "data.bin": "The base branch and the run both changed this binary file.",
        "new.txt": "The base branch and the run changed the same part of it in different ways.",
        "src/main.py": "The base branch and the run changed the same part of it in different ways.",
        "src/old.py": "The base branch or the run removed it, and the other one changed it.",
    }
    assert upstream.branches() == ["main"]
    assert github.requests == []


def test_of_very_many_conflicts_the_first_are_told(platform, run, upstream):
    names = [f"{number:02} {'long-' * 45}" for number in range(60)]
    upstream.commit(dict.fromkeys(names, b"theirs\n"))
    run(patch=platform.store(upstream.make_patch(lambda tree: [(tree / name).write_text("ours\n") for name in names])))
    assert [conflict["path"] for conflict in platform.completion["conflicts"]] == names[:50]
    assert "60 files" in platform.completion["error"]["message"]


def test_without_a_base_branch_it_is_the_repositorys_default(platform, run, upstream, github):
    git(upstream.bare, "branch", "--move", "main", "trunk")
    git(upstream.bare, "symbolic-ref", "HEAD", "refs/heads/trunk")
    assert run(baseBranch=None).process.returncode == 0
    assert platform.completion["baseBranch"] == "trunk"
    assert github.bodies[0]["base"] == "trunk"


def test_another_base_branch_than_the_default_is_the_pull_requests(platform, run, upstream, github):
    head = upstream.commit({"feature.txt": b"feature\n"}, branch="feature")
    assert run(baseBranch="feature").process.returncode == 0
    assert github.bodies[0]["base"] == "feature"
    assert git(upstream.bare, "rev-parse", f"{BRANCH}^") == head


def test_where_the_base_branch_is_gone_the_commit_is_on_the_runs_base_and_for_the_default(run, upstream, github):
    upstream.commit({"other.txt": b"other\n"})
    assert run(baseBranch="gone").process.returncode == 0
    assert github.bodies[0]["base"] == "main"
    assert git(upstream.bare, "rev-parse", f"{BRANCH}^") == upstream.base


def test_work_that_the_base_branch_holds_already_is_not_promoted(platform, run, upstream, error):
    upstream.commit({"src/main.py": change_line(10, "changed")})
    assert run().process.returncode == 10
    assert error() == {"code": "NOTHING_TO_PROMOTE", "message": "The base branch holds this work already."}
    assert upstream.branches() == ["main"]


def test_a_base_commit_that_is_gone_is_told(run, error):
    run(baseSha="1" * 40)
    assert error() == {
        "code": "NOT_PROMOTABLE",
        "message": "The repository has the commit no more that the run began with.",
    }


def test_a_head_that_is_gone_meanwhile_may_be_had_by_another_try(run, upstream, tmp_path, error):
    head = upstream.commit({"other.txt": b"other\n"})
    forced = f"git --git-dir={upstream.bare} update-ref refs/heads/main {upstream.base}"
    run(git_that_first(tmp_path, "fetch", f"{forced}; git --git-dir={upstream.bare} prune --expire=now"))
    assert error() == {"code": "CLONE_FAILED", "message": f"The repository has the commit {head} no more."}


def test_a_repository_without_any_branch_is_told(run, upstream, error):
    git(upstream.bare, "update-ref", "-d", "refs/heads/main")
    run()
    assert error()["code"] == "CLONE_FAILED"
