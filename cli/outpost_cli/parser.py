"""The top of the command tree: `--json` holds for what the parser refuses, too."""

import sys
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any, cast

import typer
from typer.core import TyperGroup

from outpost_cli.errors import UsageRefused
from outpost_cli.output import Output

# The base of all that the parser refuses; typer itself exports only this one below it.
ParserRefusal = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])


def wants_json(arguments: Sequence[str]) -> bool:
    return "--json" in takewhile(lambda argument: argument != "--", arguments)


class OutpostGroup(TyperGroup):
    """The program's own command."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        hide_flag_types(self.params, self.commands.values())

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        if not wants_json(sys.argv[1:] if args is None else args):
            return super().main(args, *rest, **options)
        try:
            sys.exit(super().main(args, *rest, **{**options, "standalone_mode": False}))
        except ParserRefusal as error:
            command = error.ctx.command_path if error.ctx else self.name
            refusal = UsageRefused(error.format_message(), remedy=f"`{command} --help` lists what there is.")
            Output.open(as_json=True).show_error(refusal)
            sys.exit(refusal.exit_code)


def hide_flag_types(parameters: Iterable[Any], commands: Iterable[Any]) -> None:
    """A flag takes no value, so its help shows none."""
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    for command in commands:
        hide_flag_types(command.params, getattr(command, "commands", {}).values())
