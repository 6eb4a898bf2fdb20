"""`outpost profile`: saved pairs of URL and key."""

from typing import Annotated

import typer
from rich.text import Text

from outpost_cli.commands.arguments import ApiKeyStdinOption, read_api_key
from outpost_cli.json_fields import JsonValue
from outpost_cli.output import Output
from outpost_cli.profiles import Profile, ProfileFile
from outpost_cli.session import with_output
from outpost_cli.settings import check_url
from outpost_cli.views import make_cell, make_table

profile_app = typer.Typer(no_args_is_help=True, help="Save, list and remove services: URL and key by name.")


@profile_app.command("save")
@with_output
def save_profile(
    output: Output,
    name: Annotated[str, typer.Argument(metavar="NAME", help="`default` is used when none is chosen.")],
    url: Annotated[str, typer.Option("--url", help="The API's URL.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a profile of this name.")] = False,
    api_key_stdin: ApiKeyStdinOption = False,
) -> None:
    """Save a service under a name, in a file that only you can read. The key is asked for and not shown.

    Examples:

    outpost profile save default --url https://api.example.com/prod

    pass outpost/prod | outpost profile save prod --url https://api.example.com/prod --api-key-stdin
    """
    checked_url = check_url(url)
    file = ProfileFile.locate()
    file.check_name(name, may_replace=lambda _: force)
    file.save(name, Profile(url=checked_url, api_key=read_api_key(api_key_stdin)), may_replace=lambda _: force)
    output.show_result(
        {"profile": name, "url": checked_url, "path": str(file.path)}, Text(f"Saved {name} in {file.path}")
    )


@profile_app.command("remove")
@with_output
def remove_profile(
    output: Output, name: Annotated[str, typer.Argument(metavar="NAME", help="A saved profile.")]
) -> None:
    """Remove a saved service.

    Examples:

    outpost profile remove old
    """
    file = ProfileFile.locate()
    file.remove(name)
    output.show_result({"removed": name, "path": str(file.path)}, Text(f"Removed {name} from {file.path}"))


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
