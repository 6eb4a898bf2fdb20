"""`outpost keys`: the API keys of one's own tenant, made, listed, rotated and revoked."""

from typing import Annotated

import typer
from rich.text import Text

from outpost_cli.account_client import NewKey
from outpost_cli.account_views import render_key, render_keys
from outpost_cli.client import OutpostClient
from outpost_cli.commands.arguments import YesOption, confirm, may_ask
from outpost_cli.durations import format_local_moment, parse_optional_duration
from outpost_cli.errors import OutpostError, UsageRefused
from outpost_cli.models.account import Rotation, Scope
from outpost_cli.output import make_safe
from outpost_cli.profiles import Profile, ProfileFile
from outpost_cli.secret_output import show_issued_key
from outpost_cli.session import Session, with_session
from outpost_cli.settings import Connection

keys_app = typer.Typer(no_args_is_help=True, help="Make, list, rotate and revoke API keys; needs the scope keys.")
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="A key id, as `outpost keys list` shows it.")]
DEFAULT_LIMIT = 20
SCOPES = f"What it may do: {', '.join(Scope)}"


@keys_app.command("list")
@with_session
def list_keys(
    session: Session,
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many.")] = DEFAULT_LIMIT,
    everything: Annotated[bool, typer.Option("--all", help="All of them, whatever --limit says.")] = False,
) -> None:
    """List the tenant's keys, newest first, without their secrets.

    Examples:

    outpost keys list --all
    """
    with session.open_client() as client:
        keys = list(client.account.iterate_keys(limit=None if everything else limit))
    session.output.show_result({"keys": [key.document for key in keys]}, render_keys(keys))


@keys_app.command("create")
@with_session
def create_key(
    session: Session,
    *,
    name: Annotated[str, typer.Option("--name", help="What it is for.")],
    scopes: Annotated[list[Scope], typer.Option("--scope", metavar="SCOPE", help=f"{SCOPES}; repeat it.")],
    expires_in: Annotated[
        str | None, typer.Option("--expires-in", help="How long it is good: 12h, 30d. For ever by default.")
    ] = None,
    agents: Annotated[
        list[str] | None, typer.Option("--agent", help="Only this agent; repeat it. All by default.")
    ] = None,
    repositories: Annotated[
        list[str] | None,
        typer.Option("--repository", help="Only such repositories: example/*; repeat it. All by default."),
    ] = None,
    monthly_budget_usd: Annotated[
        float | None, typer.Option("--monthly-budget-usd", min=0, help="What its runs may cost in a month.")
    ] = None,
    run_budget_usd: Annotated[
        float | None, typer.Option("--run-budget-usd", min=0, help="What the models of one of its runs may cost.")
    ] = None,
    run_tokens: Annotated[
        int | None, typer.Option("--run-tokens", min=1, help="How many tokens the models of one of its runs may use.")
    ] = None,
) -> None:
    """Make a key. Its secret is shown this once; in a pipe it is alone on stdout.

    Examples:

    outpost keys create --name ci --scope dispatch --scope status --expires-in 30d

    outpost keys create --name shop --scope dispatch --repository "example/*" --monthly-budget-usd 50 > key.txt

    outpost keys create --name nightly --scope dispatch --run-budget-usd 2 --run-tokens 1000000
    """
    wish = NewKey(
        name=name,
        scopes=tuple(scopes),
        expires_in_seconds=parse_optional_duration(expires_in),
        agents=tuple(agents or ()),
        repositories=tuple(repositories or ()),
        monthly_budget_usd=monthly_budget_usd,
        run_budget_usd=run_budget_usd,
        run_tokens=run_tokens,
    )
    with session.open_client() as client:
        issued = client.account.create_key(wish)
    show_issued_key(session.output, issued, render_key(issued.key))


@keys_app.command("show")
@with_session
def show_key(session: Session, key_id: KeyArgument) -> None:
    """Show one key: its scopes, its bounds, its end.

    Examples:

    outpost keys show 01JZ0000000000000000000001
    """
    with session.open_client() as client:
        key = client.account.get_key(key_id)
    session.output.show_result(key.document, render_key(key))


@keys_app.command("revoke")
@with_session
def revoke_key(session: Session, key_id: KeyArgument, *, yes: YesOption = False) -> None:
    """Revoke a key and its tokens, at once and for ever. Asks first in a terminal.

    Examples:

    outpost keys revoke 01JZ0000000000000000000001 --yes
    """
    with session.open_client() as client:
        if may_ask(yes=yes):
            name = make_safe(client.account.get_key(key_id).name)
            question = f"Revoke {key_id} ({name})? Whatever uses it is refused at once."
            confirm(question, otherwise="Nothing was revoked.")
        revoked = client.account.revoke_key(key_id)
    session.output.show_result(revoked.document, render_key(revoked))


@keys_app.command("rotate")
@with_session
def rotate_key(
    session: Session,
    key_id: KeyArgument,
    *,
    grace: Annotated[
        str | None, typer.Option("--grace", help="How long the old key is good still: 0, 1h (the default), 7d.")
    ] = None,
    save: Annotated[bool, typer.Option("--save", help="Put the new key into the profile in use.")] = False,
) -> None:
    """Replace a key by a new one like it; the old one is good for a grace period still.

    With --save the new key goes into the profile whose key this is, and is not shown.

    Examples:

    outpost keys rotate 01JZ0000000000000000000001 --grace 1d

    outpost keys rotate 01JZ0000000000000000000001 --save
    """
    grace_seconds = parse_optional_duration(grace)
    connection = session.choice.resolve()
    with session.open_client() as client:
        if save:
            require_own_key(client, connection, key_id)
        rotation = client.account.rotate_key(key_id, grace_seconds=grace_seconds)
    if save:
        save_rotated_key(session, connection, rotation)
    else:
        show_issued_key(session.output, rotation.issued, render_key(rotation.issued.key), tell_replaced(rotation))


def require_own_key(client: OutpostClient, connection: Connection, key_id: str) -> None:
    """Refuses to put a key into a profile in the place of another one. Raises UsageRefused."""
    if connection.profile is None:
        raise UsageRefused(
            "The key in use is not of a profile.", remedy="Choose one with --profile, or leave out --save."
        )
    in_use = client.account.who_am_i().key.key_id
    if in_use != key_id:
        raise UsageRefused(
            f"The profile {connection.profile} has the key {make_safe(in_use)}.",
            remedy="Rotate that one, or leave out --save.",
        )


def save_rotated_key(session: Session, connection: Connection, rotation: Rotation) -> None:
    """Saves the new key. Where that fails the key is shown: nobody could ask for it again."""
    name = str(connection.profile)
    file, own = ProfileFile.locate(), Profile(url=connection.url, api_key=rotation.issued.secret)
    try:
        file.save(name, own, may_replace=lambda taken_by: taken_by.api_key == connection.api_key)
    except OutpostError:
        show_issued_key(session.output, rotation.issued, tell_replaced(rotation))
        raise
    saved = Text(f"Saved as the key of the profile {name} in {file.path}.")
    session.output.show_result(
        rotation.issued.document, render_key(rotation.issued.key), tell_replaced(rotation), saved
    )


def tell_replaced(rotation: Rotation) -> Text:
    end = format_local_moment(rotation.old_expires_at)
    return Text(f"It replaces {make_safe(rotation.old_key_id)}, which is good until {end}.")
