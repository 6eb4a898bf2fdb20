"""Where a run begins that goes back to another one."""

from dataclasses import dataclass
from enum import StrEnum

from outpost.domain.report import Artifact


class OriginKind(StrEnum):
    """What it is to the other: the same work again, or more work upon what that one left."""

    RERUN = "rerun"
    FOLLOW_UP = "follow-up"


@dataclass(frozen=True)
class LeftPatch:
    """The patch that a run left."""

    run_id: str
    artifact: Artifact


@dataclass(frozen=True)
class Origin:
    """The run that was before, and what this one begins with.

    `commit` is the base of its work, None for the branch as it is then; `patch` is applied to that before the agent
    begins; the summary of `background_run_id` is told to the agent.
    """

    parent_run_id: str
    kind: OriginKind
    commit: str | None = None
    patch: LeftPatch | None = None
    background_run_id: str | None = None
