"""Finds what a run begins with beside its repository: its workspace, and what an earlier run left."""

from dataclasses import dataclass, field
from datetime import datetime

from outpost.domain.origin import LeftPatch
from outpost.domain.run import Run
from outpost.domain.workspace import Snapshot
from outpost.ports import Clock, Files, PresignedUrl, Runs, Workspaces

DOWNLOAD_SECONDS = 900


@dataclass(frozen=True)
class Start:
    """Where the runner fetches a snapshot and a patch, and what an earlier run said of its work."""

    snapshot: Snapshot | None = None
    snapshot_url: PresignedUrl | None = field(default=None, repr=False)
    patch: LeftPatch | None = None
    patch_url: PresignedUrl | None = field(default=None, repr=False)
    background: str | None = None


def find_start(run: Run, *, runs: Runs, workspaces: Workspaces, files: Files, clock: Clock) -> Start:
    """What the run begins with. Raises Unavailable. A run without workspace and origin costs no call."""
    now, tenant_id = clock.now(), run.tenant_id
    snapshot = _find_snapshot(run, runs, workspaces, now)
    patch = run.origin.patch if run.origin else None
    return Start(
        snapshot=snapshot,
        snapshot_url=files.presign_snapshot_download(tenant_id, run.workspace.workspace_id, snapshot, at=now)
        if snapshot is not None and run.workspace is not None
        else None,
        patch=patch,
        patch_url=files.presign_download(tenant_id, patch.run_id, patch.artifact, at=now, seconds=DOWNLOAD_SECONDS)
        if patch is not None
        else None,
        background=_find_background(run, runs),
    )


def _find_snapshot(run: Run, runs: Runs, workspaces: Workspaces, now: datetime) -> Snapshot | None:
    """The workspace's tree, while the bucket still keeps it: a store that has no such file need not say so."""
    if run.workspace is None or run.workspace.is_new:
        return None
    workspace = workspaces.get(run.tenant_id, run.workspace.workspace_id)
    if workspace is None or workspace.leased_by != run.run_id or workspace.snapshot is None:
        return None
    stored_by = runs.get(run.tenant_id, workspace.snapshot.run_id)
    return workspace.snapshot if stored_by is not None and stored_by.has_results(now) else None


def _find_background(run: Run, runs: Runs) -> str | None:
    earlier_id = run.origin.background_run_id if run.origin else None
    earlier = runs.get(run.tenant_id, earlier_id) if earlier_id is not None else None
    return earlier.result.summary if earlier is not None and earlier.result is not None else None
