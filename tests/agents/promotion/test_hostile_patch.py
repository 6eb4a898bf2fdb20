"""A patch is the work of an agent that may be hostile: it reaches nothing but the files of its own commit."""

from pathlib import Path

import pytest

from outpost_local.git_server import GitServer
from outpost_runner.promotion.errors import NotPromotable
from outpost_runner.promotion.patched_tree import apply_patch

from ..repository import git
from .promotion_platform import BRANCH

NEW_FILE = """diff --git a/{path} b/{path}
new file mode 100644
index 0000000000000000000000000000000000000000..587be6b4c3f93f93c489c0111bba5596147a26cb
--- /dev/null
+++ b/{path}
@@ -0,0 +1 @@
+x
"""
NEW_LINK = """diff --git a/way b/way
new file mode 120000
index 0000000000000000000000000000000000000000..b0b4d0f2e4f0a1c0ee9ee4b3ef7c6c1d3a0c3a3f
--- /dev/null
+++ b/way
@@ -0,0 +1 @@
+{target}
\\ No newline at end of file
"""


def test_a_path_out_of_the_tree_is_told(platform, run, upstream, error):
    assert run(patch=platform.store(NEW_FILE.format(path="../../evil").encode())).process.returncode == 10
    assert error() == {
        "code": "NOT_PROMOTABLE",
        "message": "Git does not apply the run's patch: invalid path '../../evil'",
    }
    assert upstream.branches() == ["main"]


@pytest.mark.parametrize(
    "path",
    [
        "../../evil",
        "/tmp/evil",
        "src/../../evil",
        ".git/hooks/pre-push",
        "src/.GIT/config",
        "git~1/config",
        ".g\u200cit/config",
    ],
)
def test_no_path_out_of_the_tree_or_into_git_is_taken(plain_git, upstream, tmp_path, path):
    patch = tmp_path / "patch"
    patch.write_text(NEW_FILE.format(path=path))
    with pytest.raises(NotPromotable, match="invalid path"):
        apply_patch(plain_git, upstream.base, patch)


def test_a_path_through_a_link_of_the_patch_is_refused(platform, run, upstream, tmp_path, error):
    patch = NEW_LINK.format(target=tmp_path) + NEW_FILE.format(path="way/evil")
    run(patch=platform.store(patch.encode()))
    assert error()["code"] == "NOT_PROMOTABLE"
    assert "beyond a symbolic link" in error()["message"]
    assert not (tmp_path / "evil").exists()


def test_a_path_through_a_link_of_the_repository_is_refused(platform, run, upstream, error):
    run(patch=platform.store(NEW_FILE.format(path="link/evil").encode()))
    assert error()["code"] == "NOT_PROMOTABLE"


def test_filters_drivers_and_submodules_of_the_tree_come_into_no_play(platform, run, upstream, tmp_path):
    def change(tree: Path) -> None:
        (tree / ".gitattributes").write_text("* filter=evil diff=evil merge=evil ident\n")
        (tree / ".gitmodules").write_text(f'[submodule "evil"]\n\tpath = evil\n\turl = {upstream.bare}\n')
        (tree / ".gitconfig").write_text(f'[filter "evil"]\n\tclean = touch {tmp_path}/evil\n')
        (tree / "text.txt").write_text("$Id$\n")

    patch = upstream.make_patch(change)
    upstream.commit({"README.md": b"moved on\n"})
    assert run(patch=platform.store(patch)).process.returncode == 0
    assert upstream.read(BRANCH, "text.txt") == "$Id$"
    assert not (tmp_path / "evil").exists()


def test_hooks_that_lie_in_the_tree_are_not_run(platform, run, upstream, tmp_path):
    def change(tree: Path) -> None:
        for name in ("hooks/pre-push", ".githooks/pre-push", "hooks/reference-transaction"):
            (tree / name).parent.mkdir(exist_ok=True)
            (tree / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/evil\n")
            (tree / name).chmod(0o755)

    assert run(patch=platform.store(upstream.make_patch(change))).process.returncode == 0
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("patch", [b"", b"no patch at all\n", NEW_FILE.format(path="a").encode()[:-3]])
def test_what_is_no_patch_is_told(platform, run, upstream, error, patch):
    assert run(patch=platform.store(patch)).process.returncode == 10
    assert error()["code"] == "NOT_PROMOTABLE"
    assert upstream.branches() == ["main"]


def test_a_patch_that_the_store_does_not_give_may_be_had_by_another_try(platform, run, error):
    run(patch=platform.claim["patch"] | {"url": platform.claim["patch"]["url"] + "0"})
    assert error() == {
        "code": "PROMOTION_FAILED",
        "message": "The run's patch is not to be had: the store answered 403.",
    }


@pytest.mark.parametrize("lie", [{"sha256": "0" * 64}, {"sizeBytes": 10}])
def test_a_patch_that_is_not_the_one_that_was_stored_is_not_applied(platform, run, upstream, error, lie):
    assert run(patch=platform.claim["patch"] | lie).process.returncode == 10
    assert error()["code"] == "NOT_PROMOTABLE"
    assert "The run's patch is not to be had" in error()["message"]
    assert upstream.branches() == ["main"]


def test_a_submodule_of_the_patch_is_not_fetched(platform, run, upstream, token):
    with GitServer(upstream.bare.parent) as elsewhere:
        entry = "".join(
            [
                NEW_FILE.format(path=".gitmodules").replace("+x", f"+[submodule.evil]url={elsewhere.url}/x.git"),
                "diff --git a/evil b/evil\nnew file mode 160000\n",
                f"index {'0' * 40}..{upstream.base}\n--- /dev/null\n+++ b/evil\n@@ -0,0 +1 @@\n",
                f"+Subproject commit {upstream.base}\n",
            ]
        )
        assert run(patch=platform.store(entry.encode())).process.returncode == 0
    assert git(upstream.bare, "ls-tree", BRANCH, "evil").startswith("160000 commit")
