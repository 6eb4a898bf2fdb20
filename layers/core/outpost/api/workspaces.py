"""Workspaces as callers see them."""

from outpost.api.application import Reply
from outpost.api.pages import Listing
from outpost.api.queries import WorkspacesQuery
from outpost.api.times import time_text
from outpost.api.views import View
from outpost.domain.api_key import Caller
from outpost.domain.workspace import Workspace
from outpost.wiring import Wiring


def workspace_view(workspace: Workspace) -> View:
    """A workspace; what it holds is for runs alone."""
    snapshot = workspace.snapshot
    return {
        "workspaceId": workspace.workspace_id,
        "repo": workspace.repo,
        "branch": workspace.branch,
        "baseSha": snapshot.base_sha if snapshot else None,
        "sizeBytes": snapshot.size_bytes if snapshot else 0,
        "createdAt": time_text(workspace.created_at),
        "lastUsedAt": time_text(workspace.last_used_at),
        "expiresAt": time_text(workspace.expires_at),
        "inUseBy": workspace.leased_by,
        "lastRunId": workspace.last_run_id,
    }


def list_workspaces(caller: Caller, query: WorkspacesQuery, wiring: Wiring) -> Reply:
    """A page of workspaces, newest first. Raises CursorInvalid."""
    listing = Listing(caller, {"list": "workspaces"}, wiring)
    before = listing.position(query.cursor)
    page = wiring.workspaces.page(caller.tenant_id, before_id=before, limit=query.limit)
    return Reply(
        {"workspaces": [workspace_view(workspace) for workspace in page.workspaces]},
        pagination=listing.pagination(page.last_workspace_id, query.limit),
    )
