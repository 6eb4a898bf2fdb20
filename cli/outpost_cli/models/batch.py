"""Batches: one task, given to several agents, and how they compare."""

from dataclasses import dataclass
from datetime import datetime

from outpost_cli.json_fields import (
    JsonObject,
    read_list,
    read_object,
    read_optional_flag,
    read_optional_integer,
    read_optional_moment,
    read_optional_number,
    read_optional_object,
    read_optional_text,
    read_optional_texts,
    read_text,
)
from outpost_cli.models.promotion import Promotion
from outpost_cli.models.run import TERMINAL_STATUSES, RunStatus
from outpost_cli.models.run_error import RunError


@dataclass(frozen=True, slots=True)
class BatchRun:
    """A run of a batch. One that was refused has an error, and neither id nor status.

    One that has none of the three has not been asked for yet: the batch is on its way, or was cut short.
    """

    run_id: str | None
    agent: str
    model_id: str | None
    status: RunStatus | None
    error: RunError | None
    has_passed_check: bool | None
    files_changed: int | None
    insertions: int | None
    deletions: int | None
    seconds: float | None
    input_tokens: int | None
    output_tokens: int | None
    total_cost_usd: float | None

    @property
    def is_refused(self) -> bool:
        return self.status is None and self.error is not None

    @property
    def has_ended(self) -> bool:
        return self.is_refused or self.status in TERMINAL_STATUSES

    @property
    def tokens(self) -> int | None:
        counts = [count for count in (self.input_tokens, self.output_tokens) if count is not None]
        return sum(counts) if counts else None

    @classmethod
    def from_document(cls, document: JsonObject) -> "BatchRun":
        error = read_optional_object(document, "error")
        status = read_optional_text(document, "status")
        return cls(
            run_id=read_optional_text(document, "runId"),
            agent=read_text(document, "agent"),
            model_id=read_optional_text(document, "modelId"),
            status=None if status is None else RunStatus(status),
            error=RunError.from_document(error) if error else None,
            has_passed_check=read_optional_flag(document, "check"),
            files_changed=read_optional_integer(document, "filesChanged"),
            insertions=read_optional_integer(document, "insertions"),
            deletions=read_optional_integer(document, "deletions"),
            seconds=read_optional_number(document, "seconds"),
            input_tokens=read_optional_integer(document, "inputTokens"),
            output_tokens=read_optional_integer(document, "outputTokens"),
            total_cost_usd=read_optional_number(document, "totalCostUsd"),
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """`created_at` and `task` are None in the answer that made it."""

    batch_id: str
    created_at: datetime | None
    task: str | None
    promoted_run_id: str | None
    runs: tuple[BatchRun, ...]
    document: JsonObject

    @property
    def has_ended(self) -> bool:
        return all(run.has_ended for run in self.runs)

    @property
    def has_success(self) -> bool:
        """Whether there is a run whose work could be promoted."""
        return any(run.status == RunStatus.COMPLETED for run in self.runs)

    @classmethod
    def from_document(cls, document: JsonObject) -> "Batch":
        return cls(
            batch_id=read_text(document, "batchId"),
            created_at=read_optional_moment(document, "createdAt"),
            task=read_optional_text(document, "task"),
            promoted_run_id=read_optional_text(document, "promotedRunId"),
            runs=read_list(document, "runs", BatchRun.from_document),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class BatchPromotion:
    """The run of a batch that was chosen, and those that were cancelled for it."""

    batch_id: str
    promotion: Promotion
    cancelled: tuple[str, ...]
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "BatchPromotion":
        return cls(
            batch_id=read_text(document, "batchId"),
            promotion=Promotion.from_document(read_object(document, "promotion")),
            cancelled=read_optional_texts(document, "cancelled") or (),
            document=document,
        )
