"""`outpost secrets`: the secrets of one's own tenant, which go in and never come out."""

import sys
from typing import Annotated

import typer
from rich.text import Text

from outpost_cli.account_views import render_secret, render_secrets
from outpost_cli.commands.arguments import YesOption, confirm, may_ask
from outpost_cli.errors import UsageRefused
from outpost_cli.session import Session, with_session

secrets_app = typer.Typer(
    no_args_is_help=True,
    help="Keep your tenant's own provider keys, git token and environment variables; needs the scope secrets.",
)
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="anthropic, openai, google, deepseek, xai, github, or an environment variable: DEPLOY_KEY."
    ),
]
DEFAULT_LIMIT = 20


@secrets_app.command("list")
@with_session
def list_secrets(
    session: Session,
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many.")] = DEFAULT_LIMIT,
    everything: Annotated[bool, typer.Option("--all", help="All of them, whatever --limit says.")] = False,
) -> None:
    """List the tenant's secrets by name. Nobody can ask for their values.

    Examples:

    outpost secrets list --all
    """
    with session.open_client() as client:
        secrets = list(client.account.iterate_secrets(limit=None if everything else limit))
    session.output.show_result({"secrets": [secret.document for secret in secrets]}, render_secrets(secrets))


@secrets_app.command("set")
@with_session
def set_secret(session: Session, name: NameArgument) -> None:
    """Keep a secret, in the place of an earlier value. The value is asked for, or read from stdin, never an argument.

    One line end after what comes from stdin is left out.

    Examples:

    outpost secrets set anthropic

    pass shop/deploy-key | outpost secrets set DEPLOY_KEY

    outpost secrets set DEPLOY_KEY < key.pem
    """
    with session.open_client() as client:
        secret = client.account.put_secret(name, read_value(name))
    session.output.show_result(secret.document, render_secret(secret))


@secrets_app.command("delete")
@with_session
def delete_secret(session: Session, name: NameArgument, *, yes: YesOption = False) -> None:
    """Delete a secret. Asks first in a terminal.

    Examples:

    outpost secrets delete DEPLOY_KEY --yes
    """
    with session.open_client() as client:
        if may_ask(yes=yes):
            question = f"Delete {name}? Runs that begin from now on do without it."
            confirm(question, otherwise="Nothing was deleted.")
        deleted = client.account.delete_secret(name)
    session.output.show_result(deleted, Text(f"Deleted the secret {name}"))


def read_value(name: str) -> str:
    """The value from whoever sits at the terminal, or from stdin. Raises UsageRefused when there is none."""
    if sys.stdin.isatty():
        return str(typer.prompt(f"Value of {name}", hide_input=True, err=True))
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise UsageRefused(
            "What came on stdin is not UTF-8 text.", remedy="Encode it first, as base64 does."
        ) from error
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise UsageRefused("No value came on stdin.", remedy=f"Pipe it: `... | outpost secrets set {name}`.")
    return value
