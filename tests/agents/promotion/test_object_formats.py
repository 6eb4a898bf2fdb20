"""A repository whose objects have SHA-256 names is promoted to as any other."""

import pytest

from ..repository import git
from .promotion_platform import BRANCH
from .upstream import Upstream, change_line


@pytest.fixture
def upstream(tmp_path):
    return Upstream.make(tmp_path, "sha256")


@pytest.fixture
def patch(platform, upstream):
    return platform.store(upstream.make_patch(lambda tree: (tree / "src/main.py").write_bytes(change_line(10, "mine"))))


def test_it_is_pushed_and_told(platform, run, upstream, patch):
    head = upstream.commit({"other.txt": b"other\n"})
    assert run(patch=patch).process.returncode == 0
    assert (len(head), git(upstream.bare, "rev-parse", f"{BRANCH}^")) == (64, head)
    assert platform.completion["commit"] == upstream.find(BRANCH)
    assert upstream.read(BRANCH, "src/main.py").splitlines()[9] == "mine"


def test_a_commit_that_is_gone_is_told(run, patch, error):
    run(patch=patch, baseSha="1" * 64)
    assert error()["code"] == "NOT_PROMOTABLE"
