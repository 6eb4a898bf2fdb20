"""What a runner says of an attempt: what it is at, how the agent ended, and what it left behind."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outpost.domain.run_error import RunError
from outpost.domain.usage import ModelUsage
from outpost.domain.workspace import Snapshot

SNAPSHOT_TYPE = "workspace"


class Phase(StrEnum):
    """What the runner is at."""

    CLAIMED = "claimed"
    CLONING = "cloning"
    CONTEXT = "context"
    RUNNING = "running"
    CHECKING = "checking"
    COLLECTING = "collecting"
    UPLOADING = "uploading"


class ReportedOutcome(StrEnum):
    """How the runner saw the agent end; the run's status also needs the compute's own end."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Progress:
    """The runner's last word on what it is at."""

    phase: Phase
    message: str | None
    updated_at: datetime


@dataclass(frozen=True)
class Result:
    """What the agent left behind, in numbers; the patch itself lies in the bucket."""

    summary: str | None
    files_changed: int
    insertions: int
    deletions: int
    base_sha: str | None
    head_sha: str | None
    renames: int = 0


@dataclass(frozen=True)
class CheckVerdict:
    """How the command ended that was to judge the agent's work, and the end of what it said."""

    passed: bool
    exit_code: int | None
    timed_out: bool
    output: str
    milliseconds: int


@dataclass(frozen=True)
class WorkspaceEnd:
    """What became of a persistent workspace: whether it could be restored (None: there was nothing yet) and kept."""

    restored: bool | None
    saved: bool
    reason: str | None


@dataclass(frozen=True)
class Omission:
    """A file of the run that was not stored, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class ContextSource:
    """A file of the repository from which the agent was given notes: about how many tokens, and whether it was cut."""

    path: str
    tokens: int
    is_cut: bool


@dataclass(frozen=True)
class Report:
    """The runner's final word on one attempt."""

    attempt: int
    outcome: ReportedOutcome
    exit_code: int | None
    error: RunError | None
    result: Result | None
    reported_at: datetime
    usage: ModelUsage | None = None
    context_sources: tuple[ContextSource, ...] = ()
    check: CheckVerdict | None = None
    workspace: WorkspaceEnd | None = None
    snapshot: Snapshot | None = None
    omitted: tuple[Omission, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Artifact:
    """A stored file of one attempt of a run; `name` is unique within its type."""

    attempt: int
    name: str
    type: str
    size_bytes: int
    sha256: str
    content_type: str

    @property
    def is_snapshot(self) -> bool:
        """Whether it is a workspace's snapshot, which is not among the run's own files."""
        return self.type == SNAPSHOT_TYPE
