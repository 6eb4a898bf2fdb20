"""Makes the patch: the difference to the base commit, whatever the agent did to its own repository."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from outpost_runner.claim import COMMIT
from outpost_runner.folders import TaskFolders
from outpost_runner.git import Git, GitFailed, GitInterrupted
from outpost_runner.large_files import leave_out_large_files
from outpost_runner.process import Ending, ProgramNotStarted, Watch
from outpost_runner.tree_cleaning import cleaned_tree
from outpost_runner.workspace import Base

SOME_NOT_ADDED = 1
DIFF = ("diff", "--cached", "--no-ext-diff", "--no-textconv", "--no-color")
COUNTING = (*DIFF, "--find-renames")
STATISTIC = re.compile(r"(\d+) (files?|insertions?|deletions?)\b")
NO_ROOM = re.compile("failed to insert into database|No space left|unable to write", re.IGNORECASE)
SUBMODULE = b"160000 "
BLOCK_BYTES = 1024 * 1024
# Git holds what differs several times over, and streams what is larger than this only on its way into the index.
STREAMED_BYTES = 64 * 1024 * 1024
# Attributes of the agent's that make git refuse a file, such as an encoding that the file is not in.
NEUTRAL_ATTRIBUTES = "* -text !eol !working-tree-encoding !filter !ident\n"
CONFIGURATION = {
    "core.safecrlf": "false",
    "core.bigFileThreshold": str(STREAMED_BYTES),
    "core.looseCompression": "1",
    "advice.addEmbeddedRepo": "false",
}


class PatchNotMade(Exception):
    """The agent's work could not be read; the message says why."""


@dataclass(frozen=True)
class Statistics:
    files_changed: int
    insertions: int
    deletions: int
    renames: int


@dataclass(frozen=True)
class Patch:
    """`path` is None when there is no change, or when the patch is left out for the reason `omitted`.

    `submodules` are the base's, where nothing is ever taken in; `nested` are the agent's repositories, whose files are.
    """

    statistics: Statistics
    path: Path | None
    omitted: str | None
    left_out: "Sequence[LeftOut]"
    submodules: tuple[str, ...]
    nested: tuple[str, ...]


@dataclass(frozen=True)
class LeftOut:
    """Files that are not in the patch: the agent's doing, unless there was no room to write them to."""

    reason: str
    is_lost: bool


def make_patch(
    base: Base,
    folders: TaskFolders,
    *,
    limit_bytes: int,
    deadline: Callable[[], float],
    say: Callable[[str], None],
) -> Patch:
    """Compare the working tree with the base; both are afterwards what they were. Raises PatchNotMade."""
    watch = Watch(deadline, lambda: _is_larger(folders.patch, limit_bytes))
    git = Git(
        folders.workspace, folders.private, watch, configuration=CONFIGURATION, environment=_places(base, folders)
    )
    try:
        if folders.workspace.is_symlink() or not folders.workspace.is_dir():
            raise PatchNotMade("The workspace is gone.")
        _begin_index(base, folders)
        with cleaned_tree(folders.workspace, folders.set_aside) as repositories:
            left_out = [*_take_in(git, base, folders, say), *_leave_out_large(git, base, limit_bytes)]
            statistics = _read_statistics(git, base)
            submodules = tuple(_list_submodules(git, base))
            path, omitted = _write_patch(git, base, folders.patch, limit_bytes)
        nested = tuple(folder for folder in repositories if folder not in submodules)
        return Patch(statistics, path, omitted, left_out, submodules, nested)
    except GitInterrupted as interruption:
        raise PatchNotMade("Making the patch took longer than the time left for it.") from interruption
    except GitFailed as failure:
        raise PatchNotMade(f"Git could not read the workspace: {str(failure)[-300:]}") from failure
    except (ProgramNotStarted, OSError) as error:
        raise PatchNotMade(f"The patch could not be made: {error}") from error


def read_head(git: Git, base: Base) -> str:
    """The commit that the agent's own repository is at; the base when it cannot be read.

    `git` runs as the agent's user: that repository is the agent's to configure.
    """
    try:
        commit = git.run("--git-dir=.git", "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except (GitFailed, GitInterrupted, ProgramNotStarted, OSError):
        return base.commit
    return commit if COMMIT.fullmatch(commit) else base.commit


def _begin_index(base: Base, folders: TaskFolders) -> None:
    """A copy, beside which new objects go to a folder of their own: the base stays what it is."""
    folders.patch_objects.mkdir(exist_ok=True)
    if (base.repository / "index").exists():
        shutil.copy2(base.repository / "index", folders.patch_index)


def _places(base: Base, folders: TaskFolders) -> dict[str, str]:
    return {
        "GIT_DIR": str(base.repository),
        "GIT_WORK_TREE": str(folders.workspace),
        "GIT_INDEX_FILE": str(folders.patch_index),
        "GIT_OBJECT_DIRECTORY": str(folders.patch_objects),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{base.repository}/objects"',
    }


def _take_in(git: Git, base: Base, folders: TaskFolders, say: Callable[[str], None]) -> Sequence[LeftOut]:
    """Stage everything but ignored files; what git cannot take in is left out."""
    try:
        return _add_all(git, say)
    except GitFailed:
        folders.patch_index.with_suffix(".lock").unlink(missing_ok=True)
        (base.repository / "info").mkdir(exist_ok=True)
        (base.repository / "info" / "attributes").write_text(NEUTRAL_ATTRIBUTES)
        return _add_all(git, say)


def _add_all(git: Git, say: Callable[[str], None]) -> Sequence[LeftOut]:
    try:
        git.run("add", "--all", "--ignore-errors", "--", ".")
    except GitFailed as failure:
        if failure.exit_code != SOME_NOT_ADDED:
            raise
        complaint = str(failure)
        say(f"Some files are not in the patch: {complaint}")
        first, _, _ = complaint.partition("\n")
        return [LeftOut(f"Some files could not be taken in: {first}", is_lost=NO_ROOM.search(complaint) is not None)]
    return []


def _leave_out_large(git: Git, base: Base, limit_bytes: int) -> Sequence[LeftOut]:
    """What git has the memory for may still make a patch beyond its limit, which is then left out whole."""
    largest = max(STREAMED_BYTES, limit_bytes)
    names = leave_out_large_files(git, base.commit, largest)
    return [] if names is None else [LeftOut(f"Files larger than {largest} bytes are left out: {names}", is_lost=False)]


def _read_statistics(git: Git, base: Base) -> Statistics:
    text = git.run(*COUNTING, "--shortstat", base.commit, "--")
    numbers = {unit[:4]: int(number) for number, unit in STATISTIC.findall(text)}
    with tempfile.TemporaryFile(dir=git.scratch) as names:
        git.run(*COUNTING, "--name-only", "-z", "--diff-filter=R", base.commit, "--", stdout=names)
        renames = _count(names, b"\0")
    return Statistics(numbers.get("file", 0), numbers.get("inse", 0), numbers.get("dele", 0), renames)


def _count(file: IO[bytes], byte: bytes) -> int:
    file.seek(0)
    found = 0
    while block := file.read(BLOCK_BYTES):
        found += block.count(byte)
    return found


def _list_submodules(git: Git, base: Base) -> Iterator[str]:
    """By their paths, which are quoted where they are odd."""
    with tempfile.TemporaryFile(dir=git.scratch) as listing:
        git.run("ls-tree", "-r", "--full-tree", base.commit, stdout=listing)
        listing.seek(0)
        for line in listing:
            if line.startswith(SUBMODULE):
                yield line.rstrip(b"\n").partition(b"\t")[2].decode(errors="replace")


def _write_patch(git: Git, base: Base, path: Path, limit_bytes: int) -> tuple[Path | None, str | None]:
    too_large = f"The patch is larger than {limit_bytes} bytes."
    try:
        _write_diff(git, base, path, "--find-renames")
        if not _is_larger(path, limit_bytes) and not _fits(git, base, path):
            _write_diff(git, base, path, "--no-renames")
    except GitInterrupted as interruption:
        if interruption.ending is not Ending.STOPPED:
            return None, "Making the patch took longer than the time left for it."
        return None, too_large
    if _is_larger(path, limit_bytes):
        return None, too_large
    return (path, None) if path.stat().st_size else (None, None)


def _write_diff(git: Git, base: Base, path: Path, renames: str) -> None:
    with path.open("wb") as file:
        git.run(*DIFF, renames, "--binary", "--full-index", base.commit, "--", stdout=file)


def _fits(git: Git, base: Base, path: Path) -> bool:
    """False of a patch that git itself would not apply.

    It does not say of a renamed link that it was one, so that git takes what comes in its place for a file beyond it.
    """
    environment = {**git.environment, "GIT_INDEX_FILE": str(base.repository / "index")}
    if not path.stat().st_size:
        return True
    try:
        replace(git, environment=environment).run("apply", "--cached", "--check", "--whitespace=nowarn", str(path))
    except GitFailed:
        return False
    return True


def _is_larger(path: Path, limit_bytes: int) -> bool:
    return path.exists() and path.stat().st_size > limit_bytes
