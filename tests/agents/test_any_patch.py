"""Whatever an agent makes of whatever tree, its patch makes the same of a fresh clone."""

import errno
import os
import shutil
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from outpost_runner.folders import TaskFolders
from outpost_runner.patch import make_patch
from outpost_runner.workspace import Base

from .patch_trees import EDITS, TREES, edit_tree, make_tree, read_tree
from .repository import git

# More of them by OUTPOST_PATCH_TREES.
TREES_TRIED = int(os.environ.get("OUTPOST_PATCH_TREES", "30"))
PROFILE = settings(max_examples=TREES_TRIED, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False)
CONVERTING = st.sampled_from([b"* text=auto\n", b"* text\n", b"*.txt text eol=crlf\n", b"*.txt eol=lf\n* -text\n"])


@PROFILE
@given(tree=TREES, edits=EDITS)
@example(tree={"a": ("link", "nowhere", False)}, edits=[("move", "a", "a/b")])
@example(tree={"a": ("link", "b", False)}, edits=[("move", "a", "b"), ("put", "a/f.bin", ("file", b"x", True))])
def test_a_patch_makes_a_fresh_clone_the_edited_tree(tree, edits):
    with tempfile.TemporaryDirectory() as folder:
        task = begin(Path(folder), tree)
        edit_tree(task.workspace, edits)
        expected = read_tree(task.workspace)
        fresh = apply(task, make(task), Path(folder, "fresh"))
        assert read_tree(fresh) == expected
        assert read_tree(task.workspace) == expected


@PROFILE
@given(tree=TREES, edits=EDITS, attributes=CONVERTING)
def test_where_line_ends_are_converted_git_sees_the_edited_tree(tree, edits, attributes):
    with tempfile.TemporaryDirectory() as folder:
        task = begin(Path(folder), {**tree, ".gitattributes": ("file", attributes, False)})
        edit_tree(task.workspace, edits)
        patch, edited = make(task), seen_by_git(task.workspace)
        assert git(apply(task, patch, Path(folder, "indexed"), "--index"), "write-tree") == edited
        if b".gitattributes" not in patch:  # else git may write a file by the attributes of before
            assert seen_by_git(apply(task, patch, Path(folder, "fresh"))) == edited


def begin(folder, tree):
    """A task whose workspace is a clone of the tree, with its base."""
    served = folder / "served"
    served.mkdir()
    git(served, "init", "--quiet", "--initial-branch=main")
    make_tree(served, tree)
    git(served, "add", "--all", "--force")
    git(served, "commit", "--quiet", "--allow-empty", "--message=Base")
    task = TaskFolders.create(folder / "task")
    git(folder, "clone", "--quiet", "--no-local", str(served), str(task.workspace))
    shutil.copytree(task.workspace / ".git", task.base_repository)
    return task


def is_folder(path):
    return path.is_dir() and not path.is_symlink()


def leads_in_a_circle(path):
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def make(task):
    served = task.workspace.parents[1] / "served"
    circles = [path.relative_to(served) for path in served.rglob("*") if leads_in_a_circle(path)]
    # git itself cannot apply a patch that puts a folder in the place of such a link.
    assume(not any(is_folder(task.workspace / path) for path in circles))
    base = Base(task.base_repository, git(task.base_repository, "rev-parse", "HEAD"))
    patch = make_patch(base, task, limit_bytes=10**8, deadline=lambda: time.monotonic() + 60, say=print)
    assert (patch.omitted, patch.left_out) == (None, [])
    return b"" if patch.path is None else patch.path.read_bytes()


def apply(task, patch, fresh, *options):
    git(fresh.parent, "clone", "--quiet", str(fresh.parent / "served"), str(fresh))
    if patch:
        git(fresh, "apply", "--check", *options, "--whitespace=nowarn", "-", stdin=patch)
        git(fresh, "apply", *options, "--whitespace=nowarn", "-", stdin=patch)
    return fresh


def seen_by_git(folder):
    git(folder, "add", "--all", "--force")
    return git(folder, "write-tree")
