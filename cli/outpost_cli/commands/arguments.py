"""Arguments that several commands have, and their reading."""

import sys
from typing import Annotated

import typer

from outpost_cli.errors import Interrupted, UsageRefused

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run id, or `last` for the newest run.")]
TagOption = Annotated[list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="A tag; may be repeated.")]

ApiKeyStdinOption = Annotated[
    bool, typer.Option("--api-key-stdin", help="Read the key from stdin instead of asking for it.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def parse_tags(texts: list[str] | None) -> tuple[tuple[str, str], ...]:
    """Pairs of `name=value`. Raises UsageRefused, also when a name comes twice."""
    pairs = tuple(parse_tag(text) for text in texts or [])
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageRefused(f"The tag {twice[0]} is given twice.", remedy="Give each tag one value.")
    return pairs


def parse_tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageRefused(f"{text!r} is not a tag.", remedy="Write it as name=value.")
    return name, value


def read_api_key(from_stdin: bool) -> str:
    """The key from stdin or from whoever sits at the terminal. Raises UsageRefused when there is none."""
    if from_stdin:
        # What is not ASCII is no key, whatever it is.
        api_key = sys.stdin.buffer.read().decode("ascii", errors="replace").strip()
    elif sys.stdin.isatty():
        api_key = typer.prompt("API key", hide_input=True, err=True).strip()
    else:
        raise UsageRefused("There is no terminal to ask for the key.", remedy="Pipe the key, with --api-key-stdin.")
    if not api_key:
        raise UsageRefused("No key came.", remedy="Paste the key when asked, or pipe it with --api-key-stdin.")
    return api_key


def may_ask(*, yes: bool) -> bool:
    """Whether there is a terminal to ask in, and somebody who wants to be asked."""
    return not yes and sys.stdin.isatty()


def confirm(question: str, *, otherwise: str) -> None:
    """Asks in the terminal. Raises Interrupted, which tells `otherwise`, on a no."""
    if not typer.confirm(question, err=True):
        raise Interrupted(otherwise, remedy="Run the command again, and answer y or add --yes.")
