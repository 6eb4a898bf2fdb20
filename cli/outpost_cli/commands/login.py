"""`outpost login`, `whoami` and `token`: a key that is proved and saved, whose it is, and short credentials of it."""

import os
import sys
from typing import Annotated

import typer
from rich.text import Text

from outpost_cli.account_views import format_names, render_identity
from outpost_cli.client import OutpostClient
from outpost_cli.commands.arguments import ApiKeyStdinOption, read_api_key
from outpost_cli.durations import format_local_moment
from outpost_cli.errors import UsageRefused
from outpost_cli.models.account import Identity, Scope
from outpost_cli.output import Output, make_safe
from outpost_cli.profiles import Judgement, Profile, ProfileFile
from outpost_cli.session import Session, with_output, with_session
from outpost_cli.settings import API_KEY_VARIABLE, DEFAULT_PROFILE, PROFILE_VARIABLE, URL_VARIABLE, check_url


@with_output
def log_in(
    output: Output,
    *,
    url: Annotated[str | None, typer.Option("--url", help=f"The API's URL [{URL_VARIABLE}].")] = None,
    profile: Annotated[
        str | None,
        typer.Option("--profile", help=f"The name to save it under; `default` if none [{PROFILE_VARIABLE}]."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a profile of another service.")] = False,
    api_key_stdin: ApiKeyStdinOption = False,
) -> None:
    """Ask for a key, prove it at the service, and save it for later commands. The key is not shown.

    Nothing is saved when the service does not know the key.

    Examples:

    outpost login --url https://api.example.com/prod

    pass outpost/prod | outpost login --url https://api.example.com/prod --profile prod --api-key-stdin
    """
    file = ProfileFile.locate()
    name = profile or os.environ.get(PROFILE_VARIABLE) or DEFAULT_PROFILE
    checked_url = check_url(url or find_url(file, name))
    may_replace = judge_login(checked_url, force=force)
    file.check_name(name, may_replace=may_replace)
    api_key = read_api_key(api_key_stdin)
    identity = prove_key(checked_url, api_key)
    file.save(name, Profile(url=checked_url, api_key=api_key), may_replace=may_replace)
    saved = Text(f"Saved as the profile {name} in {file.path}.")
    output.show_result(
        {"profile": name, "url": checked_url, "path": str(file.path), "identity": identity.document},
        render_identity(identity),
        Text(),
        saved,
    )
    warn_of_variables(output)


def find_url(file: ProfileFile, name: str) -> str:
    """The URL from the environment, from the profile that is renewed, or from whoever sits at the terminal."""
    saved = file.read().get(name)
    known = os.environ.get(URL_VARIABLE) or (saved.url if saved else None)
    if known:
        return known
    if not sys.stdin.isatty():
        raise UsageRefused("No service is chosen.", remedy="Add --url https://host/stage.")
    return str(typer.prompt("URL of the API", err=True)).strip()


def judge_login(url: str, *, force: bool) -> Judgement:
    """A key may take the place of an older one for the same service."""
    return lambda taken_by: force or taken_by.url == url


def prove_key(url: str, api_key: str) -> Identity:
    """Whose key it is. Raises UsageRefused for a token, and ServiceRefusal for what the service does not know."""
    with OutpostClient(url, api_key) as client:
        identity = client.account.who_am_i()
    if identity.is_token:
        raise UsageRefused("That is a token, which is good for minutes only.", remedy="Log in with an API key.")
    return identity


def warn_of_variables(output: Output) -> None:
    """Variables that were set for another service would go before the profile, and surprise."""
    names = [name for name in (URL_VARIABLE, API_KEY_VARIABLE) if os.environ.get(name)]
    if names:
        output.say(f"Note: {' and '.join(names)} in your environment go before a profile that is not named.")


@with_session
def show_identity(session: Session) -> None:
    """Show whose key is in use, what it is good for, and the tenant's plan.

    Examples:

    outpost whoami

    outpost whoami --profile prod --json
    """
    with session.open_client() as client:
        identity = client.account.who_am_i()
    session.output.show_result(identity.document, render_identity(identity))


@with_session
def issue_token(
    session: Session,
    *,
    scopes: Annotated[
        list[Scope] | None,
        typer.Option(
            "--scope", metavar="SCOPE", help=f"One of {', '.join(Scope)}; repeat it. All of the key's if none."
        ),
    ] = None,
) -> None:
    """Print a token that is good for 15 minutes, to hand to something that should not have the key.

    Revoking the key revokes its tokens.

    Examples:

    outpost token --scope status

    OUTPOST_API_KEY="$(outpost token --scope dispatch --scope status)" ./build.sh
    """
    with session.open_client() as client:
        token = client.account.issue_token(tuple(scopes or ()))
    session.output.show_result(token.document, Text(make_safe(token.token)))
    if not session.output.as_json:
        good_for = make_safe(format_names(token.scopes) or "")
        session.output.say(Text(f"Good until {format_local_moment(token.expires_at)} for: {good_for}", style="dim"))
