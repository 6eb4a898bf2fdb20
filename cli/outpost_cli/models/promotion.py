"""A promotion: a run's work on its way to a branch and a pull request."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outpost_cli.json_fields import (
    JsonObject,
    read_flag,
    read_optional_integer,
    read_optional_list,
    read_optional_moment,
    read_optional_object,
    read_optional_text,
    read_text,
)
from outpost_cli.models.run_error import RunError


class PromotionStatus(StrEnum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A file to which the work could not be applied, and why."""

    path: str
    reason: str

    @classmethod
    def from_document(cls, document: JsonObject) -> "Conflict":
        return cls(path=read_text(document, "path"), reason=read_text(document, "reason"))


@dataclass(frozen=True, slots=True)
class Promotion:
    run_id: str
    status: PromotionStatus
    attempt: int | None
    branch: str | None
    base_branch: str | None
    title: str | None
    is_draft: bool
    commit: str | None
    pull_request_url: str | None
    compare_url: str | None
    requested_at: datetime | None
    ended_at: datetime | None
    error: RunError | None
    conflicts: tuple[Conflict, ...]
    document: JsonObject

    @property
    def has_ended(self) -> bool:
        return self.status in {PromotionStatus.COMPLETED, PromotionStatus.FAILED}

    @property
    def url(self) -> str | None:
        """Where to look at the work: the pull request, else the comparison of the branches."""
        return self.pull_request_url or self.compare_url

    @classmethod
    def from_document(cls, document: JsonObject) -> "Promotion":
        error = read_optional_object(document, "error")
        pull_request = read_optional_object(document, "pullRequest")
        return cls(
            run_id=read_text(document, "runId"),
            status=PromotionStatus(read_text(document, "status")),
            attempt=read_optional_integer(document, "attempt"),
            branch=read_optional_text(document, "branch"),
            base_branch=read_optional_text(document, "baseBranch"),
            title=read_optional_text(document, "title"),
            is_draft=read_flag(document, "draft"),
            commit=read_optional_text(document, "commit"),
            pull_request_url=read_text(pull_request, "url") if pull_request else None,
            compare_url=read_optional_text(document, "compareUrl"),
            requested_at=read_optional_moment(document, "requestedAt"),
            ended_at=read_optional_moment(document, "endedAt"),
            error=RunError.from_document(error) if error else None,
            conflicts=read_optional_list(document, "conflicts", Conflict.from_document),
            document=document,
        )
