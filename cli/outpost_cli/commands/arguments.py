"""Arguments that several commands have, and their reading."""

from typing import Annotated

import typer

from outpost_cli.errors import UsageRefused

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run id, or `last` for the newest run.")]
TagOption = Annotated[list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="A tag; may be repeated.")]


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
