"""`outpost profile`: saved pairs of URL and key."""

import sys
from typing import Annotated

import typer
from rich.text import Text

from outpost_cli.errors import UsageRefused
from outpost_cli.json_fields import JsonValue
from outpost_cli.output import Output
from outpost_cli.profiles import Profile, ProfileFile
from outpost_cli.session import with_output
from outpost_cli.settings import check_url
from outpost_cli.views import make_cell, make_table

profile_app = typer.Typer(no_args_is_help=True, help="Save and list services: URL and key by name.")


@profile_app.command("save")
@with_output
def save_profile(
    output: Output,
    name: Annotated[str, typer.Argument(metavar="NAME", help="`default` is used when none is chosen.")],
    url: Annotated[str, typer.Option("--url", help="The API's URL.")],
    api_key_stdin: Annotated[
        bool, typer.Option("--api-key-stdin", help="Read the key from stdin instead of asking for it.")
    ] = False,
) -> None:
    """Save a service under a name, in a file that only you can read. The key is asked for and not shown.

    Examples:

    outpost profile save default --url https://api.example.com/prod

    pass outpost/prod | outpost profile save prod --url https://api.example.com/prod --api-key-stdin
    """
    checked_url = check_url(url)
    api_key = sys.stdin.readline() if api_key_stdin else typer.prompt("API key", hide_input=True, err=True)
    if not api_key.strip():
        raise UsageRefused("No key came.", remedy="Paste the key when asked, or pipe it with --api-key-stdin.")
    file = ProfileFile.locate()
    file.save(name, Profile(url=checked_url, api_key=api_key.strip()))
    output.show_result(
        {"profile": name, "url": checked_url, "path": str(file.path)}, Text(f"Saved {name} in {file.path}")
    )


@profile_app.command("list")
@with_output
def list_profiles(output: Output) -> None:
    """List the saved services, without their keys.

    Examples:

    outpost profile list --json
    """
    profiles = ProfileFile.locate().read()
    table = make_table("PROFILE", "URL")
    for name, profile in sorted(profiles.items()):
        table.add_row(make_cell(name), make_cell(profile.url))
    documents: list[JsonValue] = [{"name": name, "url": profile.url} for name, profile in sorted(profiles.items())]
    output.show_result({"profiles": documents}, table)
