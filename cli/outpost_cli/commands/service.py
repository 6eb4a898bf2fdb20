"""`outpost fleet`, `health`, `version`: the service itself."""

from typing import Annotated

import typer

from outpost_cli import __version__
from outpost_cli.errors import ExitCode
from outpost_cli.fleet_views import render_fleet
from outpost_cli.json_fields import JsonObject
from outpost_cli.output import make_safe
from outpost_cli.session import Session, with_session
from outpost_cli.views import render_health


@with_session
def show_fleet(session: Session) -> None:
    """List the agents and whether each is available, and their models with prices and the compute of their runs.

    Examples:

    outpost fleet

    outpost fleet --json
    """
    with session.open_client() as client:
        fleet = client.get_fleet()
    session.output.show_result(fleet.document, render_fleet(fleet))


@with_session
def show_health(session: Session) -> None:
    """Ask the service how it is; needs no key. The exit code is 7 when it is not well.

    Examples:

    outpost health --url https://api.example.com/prod
    """
    with session.open_client(needs_key=False) as client:
        health = client.get_health()
    session.output.show_result(health.document, render_health(health))
    if not health.is_well:
        raise typer.Exit(ExitCode.UNAVAILABLE)


@with_session
def show_version(
    session: Session,
    server: Annotated[bool, typer.Option("--server", help="Ask the service for its version too.")] = False,
) -> None:
    """Print the version of this command line, and with --server that of the service.

    Examples:

    outpost version

    outpost version --server --json
    """
    document: JsonObject = {"client": __version__}
    lines = [f"outpost {__version__}"]
    if server:
        with session.open_client(needs_key=False) as client:
            answer = client.get_version()
        document["server"] = answer
        lines += [make_safe(f"{name}: {value}") for name, value in answer.items()]
    session.output.show_result(document, *lines)
