"""Lets a workspace go: its record first, then what it holds."""

import logging

from outpost.domain.api_key import Caller
from outpost.domain.errors import OutpostError, Unavailable, WorkspaceInUse, WorkspaceNotFound
from outpost.domain.event import Event, EventType
from outpost.domain.workspace import Snapshot, Workspace
from outpost.ports import Clock, Files, Identifiers, Workspaces

logger = logging.getLogger(__name__)

ATTEMPTS = 8


def require_workspace(tenant_id: str, workspace_id: str, *, workspaces: Workspaces) -> Workspace:
    """The workspace. Raises WorkspaceNotFound."""
    workspace = workspaces.get(tenant_id, workspace_id)
    if workspace is None:
        raise WorkspaceNotFound(workspace_id)
    return workspace


def delete_workspace(
    caller: Caller, workspace_id: str, *, workspaces: Workspaces, files: Files, clock: Clock, identifiers: Identifiers
) -> Workspace:
    """The workspace as it was. Raises WorkspaceNotFound, WorkspaceInUse, Unavailable."""
    for _ in range(ATTEMPTS):
        workspace = require_workspace(caller.tenant_id, workspace_id, workspaces=workspaces)
        if workspace.leased_by is not None:
            raise WorkspaceInUse(workspace.leased_by)
        event = workspace_event(workspace, EventType.WORKSPACE_DELETED, clock, identifiers, keyId=caller.key_id)
        if workspaces.remove(workspace, event):
            forget_snapshots(workspace, files)
            return workspace
    raise Unavailable("the workspace kept changing")


def forget_snapshots(workspace: Workspace, files: Files) -> None:
    """Remove all that a workspace holds which nobody can reach any more."""
    _forget(workspace, workspace.previous, files)
    _forget(workspace, workspace.snapshot, files)


def forget_previous(tenant_id: str, workspace_id: str, *, workspaces: Workspaces, files: Files) -> None:
    """Remove the snapshot in whose place there is a newer one."""
    workspace = workspaces.get(tenant_id, workspace_id)
    if workspace is not None and workspace.previous != workspace.snapshot:
        _forget(workspace, workspace.previous, files)


def _forget(workspace: Workspace, snapshot: Snapshot | None, files: Files) -> None:
    """What cannot be removed now, the bucket's lifecycle rule removes."""
    if snapshot is None:
        return
    try:
        files.delete_snapshot(workspace.tenant_id, workspace.workspace_id, snapshot)
    except OutpostError:
        logger.warning("a snapshot was left in the bucket", extra={"workspaceId": workspace.workspace_id})


def workspace_event(
    workspace: Workspace, kind: EventType, clock: Clock, identifiers: Identifiers, **details: str
) -> Event:
    """What happened to a workspace."""
    now = clock.now()
    told = {"workspaceId": workspace.workspace_id, **details}
    return Event(identifiers.new(now), workspace.tenant_id, kind, now, details=told)
