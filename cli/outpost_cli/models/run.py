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
    read_optional_texts,
    read_text,
    read_text_pairs,
)
from outpost_cli.models.check import Check
from outpost_cli.models.means import ContextSource, Means
from outpost_cli.models.promotion import Promotion
from outpost_cli.models.run_error import RunError
from outpost_cli.models.usage import RunUsage
from outpost_cli.models.workspace import WorkspaceUse


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
class RunResult:
    """What a run changed."""

    summary: str | None
    files_changed: int
    insertions: int
    deletions: int
    renames: int
    base_sha: str | None
    head_sha: str | None

    @classmethod
    def from_document(cls, document: JsonObject) -> "RunResult":
        return cls(
            summary=read_optional_text(document, "summary"),
            files_changed=read_optional_integer(document, "filesChanged") or 0,
            insertions=read_optional_integer(document, "insertions") or 0,
            deletions=read_optional_integer(document, "deletions") or 0,
            renames=read_optional_integer(document, "renames") or 0,
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
    workspace_mode: str | None
    workspace_id: str | None
    workspace_use: WorkspaceUse | None
    parent_run_id: str | None
    parent_kind: str | None
    batch_id: str | None
    check: Check | None
    notices: tuple[str, ...]
    promotion: Promotion | None
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
        workspace_use = read_optional_object(document, "workspace")
        check = read_optional_object(document, "check")
        promotion = read_optional_object(document, "promotion")
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
            workspace_mode=read_optional_text(document, "workspaceMode"),
            workspace_id=read_optional_text(document, "workspaceId"),
            workspace_use=WorkspaceUse.from_document(workspace_use) if workspace_use else None,
            parent_run_id=read_optional_text(document, "parentRunId"),
            parent_kind=read_optional_text(document, "parentKind"),
            batch_id=read_optional_text(document, "batchId"),
            check=Check.from_document(check) if check else None,
            notices=read_optional_texts(document, "notices") or (),
            promotion=Promotion.from_document(promotion) if promotion else None,
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
