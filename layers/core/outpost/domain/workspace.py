"""A persistent workspace: a working tree that is kept from run to run, as a snapshot in the bucket."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MEBIBYTE = 1024 * 1024
# How long before its end a workspace's owner is told of it.
NOTICE = timedelta(days=2)


@dataclass(frozen=True)
class Snapshot:
    """A packed working tree, stored by an attempt of a run; `base_sha` is the commit that its work began with."""

    run_id: str
    attempt: int
    size_bytes: int
    sha256: str
    base_sha: str | None = None


@dataclass(frozen=True)
class WorkspaceUse:
    """The workspace that a run works in: for how long it is kept afterwards, and how large its snapshot may be."""

    workspace_id: str
    is_new: bool = False
    keep_days: int = 0
    most_bytes: int = 0


@dataclass(frozen=True)
class Workspace:
    """A workspace as it is stored.

    `leased_by` is the run that has it: no other may, and nobody may delete it. `previous` is the snapshot before the
    present one, of which nothing is needed any more.
    """

    tenant_id: str
    workspace_id: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    repo: str | None = None
    branch: str | None = None
    snapshot: Snapshot | None = None
    previous: Snapshot | None = None
    leased_by: str | None = None
    last_run_id: str | None = None
    noticed_at: datetime | None = None
    revision: int = 1

    def is_to_be_noticed(self, now: datetime) -> bool:
        """Whether its owner is to be told now that it ends soon."""
        return self.leased_by is None and self.noticed_at is None and now >= self.expires_at - NOTICE

    def has_expired(self, now: datetime) -> bool:
        """Whether it is to be removed."""
        return self.leased_by is None and now >= self.expires_at
