"""Persistent workspaces, and what a run made of its own."""

from dataclasses import dataclass
from datetime import datetime

from outpost_cli.json_fields import (
    JsonObject,
    read_moment,
    read_optional_flag,
    read_optional_integer,
    read_optional_moment,
    read_optional_text,
    read_text,
)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A working tree that is kept between runs. `in_use_by` is the run that has it now."""

    workspace_id: str
    repo: str | None
    branch: str | None
    base_sha: str | None
    size_bytes: int | None
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    in_use_by: str | None
    last_run_id: str | None
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "Workspace":
        return cls(
            workspace_id=read_text(document, "workspaceId"),
            repo=read_optional_text(document, "repo"),
            branch=read_optional_text(document, "branch"),
            base_sha=read_optional_text(document, "baseSha"),
            size_bytes=read_optional_integer(document, "sizeBytes"),
            created_at=read_moment(document, "createdAt"),
            last_used_at=read_optional_moment(document, "lastUsedAt"),
            expires_at=read_optional_moment(document, "expiresAt"),
            in_use_by=read_optional_text(document, "inUseBy"),
            last_run_id=read_optional_text(document, "lastRunId"),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class WorkspaceUse:
    """Whether a run found its working tree, and whether it left it; None where that is not known or not asked."""

    is_restored: bool | None
    is_saved: bool | None
    reason: str | None

    @classmethod
    def from_document(cls, document: JsonObject) -> "WorkspaceUse":
        return cls(
            is_restored=read_optional_flag(document, "restored"),
            is_saved=read_optional_flag(document, "saved"),
            reason=read_optional_text(document, "reason"),
        )
