"""The repository as its host has it: its branches, and just so much of its history as a promotion needs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outpost_runner.git import Git, GitFailed
from outpost_runner.promotion.errors import BaseNotFetched, CommitMissing, NotPromotable, PromotionFailed
from outpost_runner.workspace import find_reason

BRANCHES = "refs/heads/"
COMMIT_MISSING = re.compile(r"(?:not our ref|unadvertised object|no such remote ref) ([0-9a-f]{40,64})", re.IGNORECASE)
MOVED = re.compile(r"returned error: 3\d\d\b")
QUIETLY = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")


@dataclass(frozen=True)
class RemoteBranches:
    """The branches that were asked for and exist, each with its commit; and which of all is the default."""

    default: str | None
    commits: Mapping[str, str]


def list_branches(git: Git, url: str, *names: str) -> RemoteBranches:
    """Ask for the default branch and for these; raises BaseNotFetched, NotPromotable or GitInterrupted."""
    try:
        answer = git.run("ls-remote", "--symref", "--", url, "HEAD", *(BRANCHES + name for name in names))
    except GitFailed as failure:
        raise _judge(failure) from failure
    default, commits = None, {}
    for line in answer.splitlines():
        found, _, reference = line.partition("\t")
        if reference == "HEAD" and found.startswith(f"ref: {BRANCHES}"):
            default = found.removeprefix(f"ref: {BRANCHES}")
        elif reference == "HEAD" and default is not None:
            commits[default] = found
        elif reference in {BRANCHES + name for name in names}:
            commits[reference.removeprefix(BRANCHES)] = found
    return RemoteBranches(default, commits)


def fetch_commits(git: Git, url: str, commits: Sequence[str]) -> None:
    """Fetch these commits with their trees and nothing before them; raises what list_branches raises, or CommitMissing.

    A branch that begins at a commit of the remote can be pushed without that commit's own history.
    """
    try:
        git.run("fetch", *QUIETLY, "--depth=1", "--", url, *commits)
    except GitFailed as failure:
        raise _judge(failure) from failure


def _judge(failure: GitFailed) -> PromotionFailed:
    complaint = str(failure)
    if MOVED.search(complaint):
        return NotPromotable("The repository has another address now, and what may push to this one goes to no other.")
    if (missing := COMMIT_MISSING.search(complaint)) is not None:
        return CommitMissing(missing[1])
    return BaseNotFetched(f"The repository could not be read: {find_reason(complaint)}")
