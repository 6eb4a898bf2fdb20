"""`outpost workspaces`: the working trees that are kept between runs."""

from typing import Annotated

import typer
from rich.text import Text

from outpost_cli.commands.arguments import YesOption, confirm, may_ask
from outpost_cli.output import make_safe
from outpost_cli.session import Session, with_session
from outpost_cli.workspace_views import render_workspace, render_workspaces

workspaces_app = typer.Typer(
    no_args_is_help=True, help="List and delete persistent workspaces; `outpost dispatch --persistent` makes them."
)
WorkspaceArgument = Annotated[
    str, typer.Argument(metavar="WORKSPACE", help="A workspace id, as `outpost workspaces list` shows it.")
]
DEFAULT_LIMIT = 20


@workspaces_app.command("list")
@with_session
def list_workspaces(
    session: Session,
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many.")] = DEFAULT_LIMIT,
    everything: Annotated[bool, typer.Option("--all", help="All of them, whatever --limit says.")] = False,
) -> None:
    """List the tenant's workspaces, newest first.

    Examples:

    outpost workspaces list --all
    """
    with session.open_client() as client:
        found = list(client.workspaces.iterate_workspaces(limit=None if everything else limit))
    table = render_workspaces(found, width=session.output.stdout.width)
    session.output.show_result({"workspaces": [each.document for each in found]}, table)
    if not found:
        session.output.say("No workspace is kept; `outpost dispatch --persistent` makes one.")


@workspaces_app.command("show")
@with_session
def show_workspace(session: Session, workspace_id: WorkspaceArgument) -> None:
    """Show one workspace: its repository, its size, until when it is kept, and which run has it.

    Examples:

    outpost workspaces show 01JZ0000000000000000000002
    """
    with session.open_client() as client:
        workspace = client.workspaces.get_workspace(workspace_id)
    session.output.show_result(workspace.document, render_workspace(workspace))


@workspaces_app.command("delete")
@with_session
def delete_workspace(session: Session, workspace_id: WorkspaceArgument, *, yes: YesOption = False) -> None:
    """Delete a workspace with all that is in it. Asks first in a terminal; needs the scope delete.

    Examples:

    outpost workspaces delete 01JZ0000000000000000000002 --yes
    """
    with session.open_client() as client:
        if may_ask(yes=yes):
            repo = make_safe(client.workspaces.get_workspace(workspace_id).repo or "no repository")
            question = f"Delete the workspace {workspace_id} ({repo})? What is in it is lost."
            confirm(question, otherwise="Nothing was deleted.")
        deleted = client.workspaces.delete_workspace(workspace_id)
    session.output.show_result(deleted, Text(f"Deleted the workspace {workspace_id}"))
