"""How persistent workspaces look to a person. Every text of theirs is made safe first."""

from collections.abc import Iterable
from datetime import datetime

from rich.table import Table

from outpost_cli.durations import format_local_moment, format_size
from outpost_cli.models.workspace import Workspace
from outpost_cli.views import NOTHING, make_cell, make_table, render_facts


def render_workspaces(workspaces: Iterable[Workspace]) -> Table:
    table = make_table("WORKSPACE", "REPO", "BRANCH", "SIZE", "LAST USED", "EXPIRES", "IN USE BY")
    for workspace in workspaces:
        table.add_row(
            make_cell(workspace.workspace_id),
            make_cell(workspace.repo or NOTHING),
            make_cell(workspace.branch or NOTHING),
            make_cell(format_packed_size(workspace) or NOTHING),
            make_cell(format_optional_moment(workspace.last_used_at) or NOTHING),
            make_cell(format_optional_moment(workspace.expires_at) or NOTHING),
            make_cell(workspace.in_use_by or NOTHING),
        )
    return table


def render_workspace(workspace: Workspace) -> Table:
    return render_facts(
        {
            "Workspace": workspace.workspace_id,
            "Repository": " ".join(filter(None, [workspace.repo, workspace.branch and f"({workspace.branch})"])),
            "Begun at": workspace.base_sha,
            "Size": format_packed_size(workspace),
            "Created": format_local_moment(workspace.created_at),
            "Last used": format_optional_moment(workspace.last_used_at),
            "Expires": format_optional_moment(workspace.expires_at),
            "In use by": workspace.in_use_by,
            "Last run": workspace.last_run_id,
        }
    )


def format_packed_size(workspace: Workspace) -> str | None:
    """None while no run has saved it."""
    return format_size(workspace.size_bytes) if workspace.size_bytes else None


def format_optional_moment(moment: datetime | None) -> str | None:
    return None if moment is None else format_local_moment(moment)
