"""Task texts and results."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from outpost.domain.report import Artifact
from outpost.domain.workspace import Snapshot


@dataclass(frozen=True)
class PresignedUrl:
    """A URL that carries its own permission for a while."""

    url: str
    expires_at: datetime
    headers: dict[str, str] = field(default_factory=dict)


class Files(Protocol):
    """Task texts and results in the bucket."""

    def put_task(self, tenant_id: str, run_id: str, text: str) -> None:
        """Store a task's text."""
        ...

    def get_task(self, tenant_id: str, run_id: str) -> str:
        """The stored text of a task."""
        ...

    def read(self, tenant_id: str, run_id: str, artifact: Artifact) -> bytes:
        """The bytes of a stored file."""
        ...

    def presign_download(
        self, tenant_id: str, run_id: str, artifact: Artifact, *, at: datetime, seconds: int
    ) -> PresignedUrl:
        """Where the file can be fetched, as a download, for that long."""
        ...

    def presign_snapshot_download(
        self, tenant_id: str, workspace_id: str, snapshot: Snapshot, *, at: datetime
    ) -> PresignedUrl:
        """Where a workspace's snapshot can be fetched by a runner."""
        ...

    def presign_snapshot_upload(
        self, tenant_id: str, workspace_id: str, snapshot: Snapshot, *, at: datetime
    ) -> PresignedUrl:
        """Where exactly this snapshot can be put, with the headers that must be sent."""
        ...

    def delete_snapshot(self, tenant_id: str, workspace_id: str, snapshot: Snapshot) -> None:
        """Remove a snapshot; one that is not there is no error."""
        ...

    def presign_upload(self, tenant_id: str, run_id: str, artifact: Artifact, *, at: datetime) -> PresignedUrl:
        """Where exactly these bytes can be put, with the headers that must be sent."""
        ...
