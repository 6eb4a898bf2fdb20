"""Tells of workspaces that end soon, and removes those that have ended."""

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from outpost.domain.errors import OutpostError
from outpost.domain.event import Event, EventType
from outpost.domain.workspace import NOTICE, Workspace
from outpost.ports import Clock, Files, Identifiers, Workspaces
from outpost.use_cases.delete_workspace import forget_snapshots, workspace_event

logger = logging.getLogger(__name__)

WORKSPACES = 50


@dataclass(frozen=True)
class WorkspaceSweeper:
    """The ports that it needs."""

    workspaces: Workspaces
    files: Files
    clock: Clock
    identifiers: Identifiers


def sweep_workspaces(sweeper: WorkspaceSweeper) -> Counter[EventType]:
    """One bounded round; how many were told of and removed. One's trouble does not stop the others."""
    done: Counter[EventType] = Counter()
    now = sweeper.clock.now()
    for is_noticed, at in ((True, now), (False, now + NOTICE)):
        for tenant_id, workspace_id in _ending(sweeper, at, is_noticed=is_noticed):
            try:
                kind = _look_after(sweeper, tenant_id, workspace_id)
            except Exception:
                logger.exception("a workspace could not be looked after", extra={"workspaceId": workspace_id})
                continue
            if kind is not None:
                done[kind] += 1
    return done


def _ending(sweeper: WorkspaceSweeper, at: datetime, *, is_noticed: bool) -> tuple[tuple[str, str], ...]:
    try:
        return sweeper.workspaces.ending(at, WORKSPACES, is_noticed=is_noticed)
    except OutpostError:
        logger.exception("the workspaces that end are not known; the next round looks again")
        return ()


def _look_after(sweeper: WorkspaceSweeper, tenant_id: str, workspace_id: str) -> EventType | None:
    now = sweeper.clock.now()
    workspace = sweeper.workspaces.get(tenant_id, workspace_id)
    if workspace is None:
        return None
    if workspace.has_expired(now):
        return _remove(sweeper, workspace)
    if workspace.is_to_be_noticed(now):
        event = _event(sweeper, workspace, EventType.WORKSPACE_ENDING)
        return event.type if sweeper.workspaces.note_end(workspace, now, event) else None
    return None


def _remove(sweeper: WorkspaceSweeper, workspace: Workspace) -> EventType | None:
    event = _event(sweeper, workspace, EventType.WORKSPACE_EXPIRED)
    if not sweeper.workspaces.remove(workspace, event):
        return None
    forget_snapshots(workspace, sweeper.files)
    return event.type


def _event(sweeper: WorkspaceSweeper, workspace: Workspace, kind: EventType) -> Event:
    ends_at = workspace.expires_at.isoformat(timespec="seconds")
    return workspace_event(workspace, kind, sweeper.clock, sweeper.identifiers, expiresAt=ends_at)
