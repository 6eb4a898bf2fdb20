"""Makes the patch: the difference to the base commit, whatever the agent did to its own repository."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from outpost_runner.folders import TaskFolders
from outpost_runner.git import Git, GitFailed, GitInterrupted
from outpost_runner.process import Ending, ProgramNotStarted, Watch
from outpost_runner.tree_cleaning import clean_tree
from outpost_runner.workspace import Base

SOME_NOT_ADDED = 1
DIFF = ("diff", "--cached", "--no-ext-diff", "--no-textconv", "--no-color", "--find-renames")
STATISTIC = re.compile(r"(\d+) (files?|insertions?|deletions?)\b")
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
NO_ROOM = re.compile("failed to insert into database|No space left|unable to write", re.IGNORECASE)
# Attributes of the agent's that make git refuse a file, such as an encoding that the file is not in.
NEUTRAL_ATTRIBUTES = "* -text !eol !working-tree-encoding !filter !ident\n"
CONFIGURATION = {
    "core.safecrlf": "false",
    "core.bigFileThreshold": "64m",
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


@dataclass(frozen=True)
class Patch:
    """`path` is None when there is no change, or when the patch is left out for the reason `omitted`."""

    statistics: Statistics
    path: Path | None
    omitted: str | None
    left_out: "LeftOut | None"


@dataclass(frozen=True)
class LeftOut:
    """Files that git could not take in: the agent's doing, unless there was no room to write them to."""

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
    """Compare the working tree with the base in the private repository; raises PatchNotMade."""
    watch = Watch(deadline, lambda: _is_larger(folders.patch, limit_bytes))
    git = Git(
        folders.workspace, folders.private, watch, configuration=CONFIGURATION, environment=_places(base, folders)
    )
    try:
        if folders.workspace.is_symlink() or not folders.workspace.is_dir():
            raise PatchNotMade("The workspace is gone.")
        clean_tree(folders.workspace, folders.set_aside)
        left_out = _take_in(git, base, say)
        statistics = _read_statistics(git.run(*DIFF, "--shortstat", base.commit, "--"))
        return Patch(statistics, *_write_patch(git, base, folders.patch, limit_bytes), left_out)
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


def _places(base: Base, folders: TaskFolders) -> dict[str, str]:
    return {"GIT_DIR": str(base.repository), "GIT_WORK_TREE": str(folders.workspace)}


def _take_in(git: Git, base: Base, say: Callable[[str], None]) -> LeftOut | None:
    """Stage everything but ignored files; what git cannot take in is left out."""
    try:
        return _add_all(git, say)
    except GitFailed:
        (base.repository / "index.lock").unlink(missing_ok=True)
        (base.repository / "info").mkdir(exist_ok=True)
        (base.repository / "info" / "attributes").write_text(NEUTRAL_ATTRIBUTES)
        return _add_all(git, say)


def _add_all(git: Git, say: Callable[[str], None]) -> LeftOut | None:
    try:
        git.run("add", "--all", "--ignore-errors", "--", ".")
    except GitFailed as failure:
        if failure.exit_code != SOME_NOT_ADDED:
            raise
        complaint = str(failure)
        say(f"Some files are not in the patch: {complaint}")
        first, _, _ = complaint.partition("\n")
        return LeftOut(f"Some files could not be taken in: {first}", is_lost=NO_ROOM.search(complaint) is not None)
    return None


def _read_statistics(text: str) -> Statistics:
    numbers = {unit[:4]: int(number) for number, unit in STATISTIC.findall(text)}
    return Statistics(numbers.get("file", 0), numbers.get("inse", 0), numbers.get("dele", 0))


def _write_patch(git: Git, base: Base, path: Path, limit_bytes: int) -> tuple[Path | None, str | None]:
    too_large = f"The patch is larger than {limit_bytes} bytes."
    try:
        with path.open("wb") as file:
            git.run(*DIFF, "--binary", "--full-index", base.commit, "--", stdout=file)
    except GitInterrupted as interruption:
        if interruption.ending is not Ending.STOPPED:
            return None, "Making the patch took longer than the time left for it."
        return None, too_large
    if _is_larger(path, limit_bytes):
        return None, too_large
    return (path, None) if path.stat().st_size else (None, None)


def _is_larger(path: Path, limit_bytes: int) -> bool:
    return path.exists() and path.stat().st_size > limit_bytes
