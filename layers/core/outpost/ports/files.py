"""Task texts and results."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from outpost.domain.report import Artifact


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

    def presign_upload(self, tenant_id: str, run_id: str, artifact: Artifact, *, at: datetime) -> PresignedUrl:
        """Where exactly these bytes can be put, with the headers that must be sent."""
        ...
