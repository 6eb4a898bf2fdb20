"""What a runner says of an attempt: what it is at, how the agent ended, and what it left behind."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outpost.domain.run_error import RunError
from outpost.domain.usage import ModelUsage


class Phase(StrEnum):
    """What the runner is at."""

    CLAIMED = "claimed"
    CLONING = "cloning"
    CONTEXT = "context"
    RUNNING = "running"
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


@dataclass(frozen=True)
class Artifact:
    """A stored file of one attempt of a run; `name` is unique within its type."""

    attempt: int
    name: str
    type: str
    size_bytes: int
    sha256: str
    content_type: str
