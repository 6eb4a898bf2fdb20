"""`outpost kill-switch`: stops the new dispatches of one's own tenant, and on demand what runs."""

from typing import Annotated

import typer

from outpost_cli.account_views import render_kill_switch
from outpost_cli.models.kill_switch import KillSwitch
from outpost_cli.session import Session, with_session

kill_switch_app = typer.Typer(
    no_args_is_help=True, help="Stop your tenant's new dispatches, and on demand its runs; needs the scope admin."
)
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for whoever is refused or looks at it later.")]
StopRunningOption = Annotated[
    bool, typer.Option("--stop-running", help="Cancel what runs, too; what waits keeps waiting.")
]


@kill_switch_app.command("show")
@with_session
def show_kill_switch(session: Session) -> None:
    """Show whether the kill switch is on, why, and since when.

    Examples:

    outpost kill-switch show
    """
    with session.open_client() as client:
        show_switch(session, client.account.get_kill_switch())


@kill_switch_app.command("on")
@with_session
def set_kill_switch(session: Session, *, reason: ReasonOption, stop_running: StopRunningOption = False) -> None:
    """Refuse new dispatches from now on; with --stop-running cancel what runs, too.

    Examples:

    outpost kill-switch on --reason "a leaked key"

    outpost kill-switch on --reason "a leaked key" --stop-running
    """
    with session.open_client() as client:
        show_switch(session, client.account.set_kill_switch(reason, stop_running=stop_running))


@kill_switch_app.command("off")
@with_session
def lift_kill_switch(session: Session) -> None:
    """Accept dispatches again.

    Examples:

    outpost kill-switch off
    """
    with session.open_client() as client:
        show_switch(session, client.account.lift_kill_switch())


def show_switch(session: Session, switch: KillSwitch) -> None:
    session.output.show_result(switch.document, render_kill_switch(switch))
