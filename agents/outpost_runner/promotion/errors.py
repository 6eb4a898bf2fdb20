"""Why a promotion did not come about, each with the code that the control plane knows.

PromotionFailed       anything else, which may pass
├── NothingToPromote  the base branch holds the work already
├── NotPromotable     the run's work is not to be had, or fits nothing: no repetition changes that
├── GitTokenMissing   there is no credential to push with
├── BaseNotFetched    the repository could not be read
│   └── CommitMissing it has no such commit (which one)
├── PatchConflicts    the base branch has changed what the run has changed (which files, and why)
├── BranchTaken       somebody else's branch has the name
├── PushRefused       the branch is not one to push to, or the repository's host says no
├── PullRequestFailed the host did not open the pull request; the branch is there
└── TimeUsedUp        the deadline passed, or somebody stopped the task
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class PromotionFailed(Exception):
    code: ClassVar[str] = "PROMOTION_FAILED"


class NothingToPromote(PromotionFailed):
    code = "NOTHING_TO_PROMOTE"


class NotPromotable(PromotionFailed):
    code = "NOT_PROMOTABLE"


class GitTokenMissing(PromotionFailed):
    code = "GIT_TOKEN_MISSING"


class BaseNotFetched(PromotionFailed):
    code = "CLONE_FAILED"


class CommitMissing(BaseNotFetched):
    def __init__(self, commit: str) -> None:
        super().__init__(f"The repository has the commit {commit} no more.")
        self.commit = commit


@dataclass(frozen=True)
class Conflict:
    path: str
    reason: str


class PatchConflicts(PromotionFailed):
    code = "PROMOTION_CONFLICT"

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        files = "one file" if len(conflicts) == 1 else f"{len(conflicts)} files"
        super().__init__(f"The run's patch conflicts with the base branch in {files}.")
        self.conflicts = conflicts


class BranchTaken(PromotionFailed):
    code = "BRANCH_EXISTS"

    def __init__(self, branch: str) -> None:
        super().__init__(f"The branch {branch!r} exists already, and is not of this run.")


class PushRefused(PromotionFailed):
    code = "PUSH_REFUSED"


class PullRequestFailed(PromotionFailed):
    code = "PULL_REQUEST_FAILED"


class TimeUsedUp(PromotionFailed):
    code = "PROMOTION_TIMEOUT"
