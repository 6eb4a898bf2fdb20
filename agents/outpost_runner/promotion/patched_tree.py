"""Makes the tree that a promotion's commit holds: the base branch's files with the run's changes.

No file is ever written out: the patch goes into git's index, and the merge works on objects. So a patch of a hostile
agent finds no working tree to break out of, and no filter, hook or attribute of the tree comes into play.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from outpost_runner.git import Git, GitFailed
from outpost_runner.promotion.errors import Conflict, NotPromotable, PatchConflicts
from outpost_runner.workspace import find_reason

CONFLICTS_FOUND = 1
CONFLICT = "CONFLICT"
UNTOLD = "Git cannot merge it."
MAX_LISTING_BYTES = 4 * 1024 * 1024
REASONS = {
    "CONFLICT (contents)": "The base branch and the run changed the same part of it in different ways.",
    "CONFLICT (binary)": "The base branch and the run both changed this binary file.",
    "CONFLICT (modify/delete)": "The base branch or the run removed it, and the other one changed it.",
    "CONFLICT (file/directory)": "It is a file in the one and a folder in the other.",
    "CONFLICT (rename/delete)": "The base branch or the run renamed it, and the other one removed it.",
    "CONFLICT (rename/rename)": "The base branch and the run renamed it in different ways.",
    "CONFLICT (distinct modes)": "The base branch and the run made different kinds of files of it.",
}


def apply_patch(git: Git, base_commit: str, patch: Path) -> str:
    """The tree that the run left: its patch on the commit that it began with, to which it fits exactly.

    Raises NotPromotable for a patch that git refuses: one that is damaged or leads out of the tree or into `.git`.
    """
    git.run("read-tree", base_commit)
    try:
        git.run("apply", "--cached", "--binary", "--whitespace=nowarn", "--", str(patch))
    except GitFailed as failure:
        raise NotPromotable(f"Git does not apply the run's patch: {find_reason(str(failure))}") from failure
    return git.run("write-tree")


def merge_onto(git: Git, base_commit: str, tree: str, head: str) -> str:
    """The tree with what the branch got since the run began: a three-way merge; raises PatchConflicts.

    The two sides are given as children of the base, because a shallow fetch does not tell that they are.
    """
    if head == base_commit:
        return tree
    ours = git.run("commit-tree", "-p", base_commit, "-m", "The base branch", f"{head}^{{tree}}")
    theirs = git.run("commit-tree", "-p", base_commit, "-m", "The run", tree)
    with tempfile.TemporaryFile(dir=git.scratch) as listing:
        try:
            git.run("merge-tree", "--write-tree", "-z", "--name-only", "--messages", ours, theirs, stdout=listing)
        except GitFailed as failure:
            if failure.exit_code != CONFLICTS_FOUND:
                raise
            raise PatchConflicts(read_conflicts(listing)) from None
        return _read_fields(listing)[0]


def read_conflicts(listing: IO[bytes]) -> list[Conflict]:
    """Each file once, with the first thing that git says of it; of a list that is too long, what is read of it.

    It is: tree, conflicted files, an empty field; then for each message: how many paths, the paths, its kind, its text.
    """
    fields = _read_fields(listing)
    end = fields.index("") if "" in fields else len(fields)
    reasons: dict[str, str] = {}
    for path, kind in _read_messages(fields[end + 1 :]):
        if kind.startswith(CONFLICT):
            reasons.setdefault(path, REASONS.get(kind, f"Git cannot merge it: {kind}."))
    if listing.seek(0, os.SEEK_END) > MAX_LISTING_BYTES:
        reasons = dict.fromkeys(fields[1:end], UNTOLD) | reasons
    return [Conflict(path, reason) for path, reason in reasons.items()]


def _read_messages(fields: list[str]) -> Iterator[tuple[str, str]]:
    """Each path with the kind of each message of it."""
    position = 0
    while position < len(fields) and fields[position].isdecimal():
        after_paths = position + 1 + int(fields[position])
        kinds = fields[after_paths : after_paths + 1]
        yield from ((path, kind) for path in fields[position + 1 : after_paths] for kind in kinds)
        position = after_paths + 2


def _read_fields(listing: IO[bytes]) -> list[str]:
    """Each ends with a NUL: one that the limit cuts through is left out."""
    listing.seek(0)
    return listing.read(MAX_LISTING_BYTES).decode(errors="replace").split("\0")[:-1]
