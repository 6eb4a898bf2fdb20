"""How persistent workspaces look to a person. Every text of theirs is made safe first."""

from collections.abc import Iterable
from datetime import datetime

from rich.table import Table

from outpost_cli.durations import format_local_moment, format_size
from outpost_cli.models.workspace import Workspace
from outpost_cli.views import NOTHING, Column, render_facts, render_rows


def render_workspaces(workspaces: Iterable[Workspace], *, width: int) -> Table:
    """Ids are always whole."""
    columns: list[Column[Workspace]] = [
        ("WORKSPACE", 0, lambda workspace: workspace.workspace_id),
        ("REPO", 50, lambda workspace: workspace.repo or NOTHING),
        ("BRANCH", 90, lambda workspace: workspace.branch or NOTHING),
        ("SIZE", 60, lambda workspace: format_packed_size(workspace) or NOTHING),
        ("LAST USED", 140, lambda workspace: format_optional_moment(workspace.last_used_at) or NOTHING),
        ("EXPIRES", 80, lambda workspace: format_optional_moment(workspace.expires_at) or NOTHING),
        ("IN USE BY", 110, lambda workspace: workspace.in_use_by or NOTHING),
    ]
    return render_rows(columns, workspaces, width=width, whole=1)


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
