"""A run, its progress, its error and its result, as the service tells them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outpost_cli.json_fields import (
    JsonObject,
    read_moment,
    read_optional_integer,
    read_optional_list,
    read_optional_moment,
    read_optional_object,
    read_optional_text,
    read_text,
    read_text_pairs,
)
from outpost_cli.models.means import ContextSource, Means
from outpost_cli.models.usage import RunUsage


class RunStatus(StrEnum):
    QUEUED = "QUEUED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMEOUT = "TIMEOUT"
    CANCELLED = "CANCELLED"


class Priority(StrEnum):
    """Which of a tenant's waiting runs gets a free slot first; among equals the oldest."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


TERMINAL_STATUSES = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run ended badly."""

    code: str
    message: str
    remedy: str | None

    @classmethod
    def from_document(cls, document: JsonObject) -> "RunError":
        return cls(
            code=read_text(document, "code"),
            message=read_text(document, "message"),
            remedy=read_optional_text(document, "remedy"),
        )


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run changed."""

    summary: str | None
    files_changed: int
    insertions: int
    deletions: int
    base_sha: str | None
    head_sha: str | None

    @classmethod
    def from_document(cls, document: JsonObject) -> "RunResult":
        return cls(
            summary=read_optional_text(document, "summary"),
            files_changed=read_optional_integer(document, "filesChanged") or 0,
            insertions=read_optional_integer(document, "insertions") or 0,
            deletions=read_optional_integer(document, "deletions") or 0,
            base_sha=read_optional_text(document, "baseSha"),
            head_sha=read_optional_text(document, "headSha"),
        )


@dataclass(frozen=True, slots=True)
class RunProgress:
    """What the runner said last about where it is."""

    phase: str | None
    message: str | None

    @classmethod
    def from_document(cls, document: JsonObject) -> "RunProgress":
        return cls(phase=read_optional_text(document, "phase"), message=read_optional_text(document, "message"))


@dataclass(frozen=True, slots=True)
class Run:
    """One dispatched piece of work. Times are aware."""

    run_id: str
    status: RunStatus
    agent: str
    model_id: str | None
    task: str | None
    repo: str | None
    branch: str | None
    means: Means
    context_sources: tuple[ContextSource, ...]
    tags: tuple[tuple[str, str], ...]
    priority: str | None
    timeout_seconds: int | None
    queue_timeout_seconds: int | None
    requested_by: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested_at: datetime | None
    compute_stopped_at: datetime | None
    attempt: int | None
    queue_position: int | None
    progress: RunProgress | None
    exit_code: int | None
    error: RunError | None
    usage: RunUsage | None
    result: RunResult | None
    document: JsonObject

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL_STATUSES

    @property
    def phase(self) -> str | None:
        return self.progress.phase if self.progress else None

    @classmethod
    def from_document(cls, document: JsonObject) -> "Run":
        progress = read_optional_object(document, "progress")
        error = read_optional_object(document, "error")
        usage = read_optional_object(document, "usage")
        result = read_optional_object(document, "result")
        return cls(
            run_id=read_text(document, "runId"),
            status=RunStatus(read_text(document, "status")),
            agent=read_text(document, "agent"),
            model_id=read_optional_text(document, "modelId"),
            task=read_optional_text(document, "task"),
            repo=read_optional_text(document, "repo"),
            branch=read_optional_text(document, "branch"),
            means=Means.from_document(document),
            context_sources=read_optional_list(document, "contextSources", ContextSource.from_document),
            tags=read_text_pairs(document, "tags"),
            priority=read_optional_text(document, "priority"),
            timeout_seconds=read_optional_integer(document, "timeoutSeconds"),
            queue_timeout_seconds=read_optional_integer(document, "queueTimeoutSeconds"),
            requested_by=read_optional_text(document, "requestedBy"),
            created_at=read_moment(document, "createdAt"),
            started_at=read_optional_moment(document, "startedAt"),
            ended_at=read_optional_moment(document, "endedAt"),
            cancel_requested_at=read_optional_moment(document, "cancelRequestedAt"),
            compute_stopped_at=read_optional_moment(document, "computeStoppedAt"),
            attempt=read_optional_integer(document, "attempt"),
            queue_position=read_optional_integer(document, "queuePosition"),
            progress=RunProgress.from_document(progress) if progress else None,
            exit_code=read_optional_integer(document, "exitCode"),
            error=RunError.from_document(error) if error else None,
            usage=RunUsage.from_document(usage) if usage else None,
            result=RunResult.from_document(result) if result else None,
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a dispatch; `is_replay` when the same idempotency key had made the run before."""

    run_id: str
    status: RunStatus
    queue_position: int | None
    is_replay: bool
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject, *, is_replay: bool) -> "Receipt":
        return cls(
            run_id=read_text(document, "runId"),
            status=RunStatus(read_text(document, "status")),
            queue_position=read_optional_integer(document, "queuePosition"),
            is_replay=is_replay,
            document=document,
        )
