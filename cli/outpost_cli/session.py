"""What every command shares: the connection options, `--json`, and how an error becomes words and an exit code."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Concatenate, ParamSpec

import typer

from outpost_cli.client import OutpostClient
from outpost_cli.errors import Interrupted, OutpostError
from outpost_cli.output import Output
from outpost_cli.settings import API_KEY_VARIABLE, PROFILE_VARIABLE, URL_VARIABLE, ConnectionChoice

Parameters = ParamSpec("Parameters")
PANEL = "Connection and output"
UrlOption = Annotated[str | None, typer.Option("--url", help=f"The API's URL [{URL_VARIABLE}].", rich_help_panel=PANEL)]
ApiKeyOption = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        help=f"The API key. Other users of this machine can see it here: better set {API_KEY_VARIABLE}.",
        rich_help_panel=PANEL,
    ),
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", help=f"A saved profile [{PROFILE_VARIABLE}].", rich_help_panel=PANEL)
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, messages on stderr.", rich_help_panel=PANEL)
]
SHARED_OPTIONS: dict[str, tuple[object, object]] = {
    "url": (UrlOption, None),
    "api_key": (ApiKeyOption, None),
    "profile": (ProfileOption, None),
    "as_json": (JsonOption, False),
}


@dataclass(frozen=True, slots=True)
class Session:
    """One call of one command."""

    output: Output
    choice: ConnectionChoice

    def open_client(self, *, needs_key: bool = True) -> OutpostClient:
        """A client of the chosen service, to be used in a `with`. Raises UsageRefused when there is none."""
        connection = self.choice.resolve(needs_key=needs_key)
        return OutpostClient(connection.url, connection.api_key)


def with_session(command: Callable[Concatenate[Session, Parameters], None]) -> Callable[..., None]:
    """Gives a command its Session, and the shared options to its signature, which is what typer reads."""

    @functools.wraps(command)
    def run(*arguments: Parameters.args, **options: Parameters.kwargs) -> None:
        url, api_key, profile, as_json = (options.pop(name) for name in SHARED_OPTIONS)
        choice = ConnectionChoice(url=url, api_key=api_key, profile=profile)  # type: ignore[arg-type]
        output = Output.open(as_json=bool(as_json))
        report_errors(output, lambda: command(Session(output=output, choice=choice), *arguments, **options))

    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in SHARED_OPTIONS.items()
    ]
    add_signature(run, [*own, *shared])
    return run


def with_output(command: Callable[Concatenate[Output, Parameters], None]) -> Callable[..., None]:
    """The same for a command that talks to no service: `--json` only."""

    @functools.wraps(command)
    def run(*arguments: Parameters.args, **options: Parameters.kwargs) -> None:
        output = Output.open(as_json=bool(options.pop("as_json")))
        report_errors(output, lambda: command(output, *arguments, **options))

    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    as_json = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption)
    add_signature(run, [*own, as_json])
    return run


def add_signature(run: Callable[..., None], parameters: list[inspect.Parameter]) -> None:
    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    run.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


def report_errors(output: Output, command: Callable[[], None]) -> None:
    """Runs a command; an error that we know becomes its words and its exit code."""
    try:
        command()
    except OutpostError as error:
        output.show_error(error)
        raise typer.Exit(error.exit_code) from error
    except (KeyboardInterrupt, typer.Abort) as error:
        interrupted = Interrupted("Interrupted.", remedy="Run the command again.")
        output.show_error(interrupted)
        raise typer.Exit(interrupted.exit_code) from error
