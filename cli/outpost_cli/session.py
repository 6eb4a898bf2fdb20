"""What every command shares: the connection options, `--json`, and how an error becomes words and an exit code."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import typer

from outpost_cli.client import OutpostClient
from outpost_cli.errors import Interrupted, OutpostError
from outpost_cli.output import Output
from outpost_cli.settings import API_KEY_VARIABLE, PROFILE_VARIABLE, URL_VARIABLE, ConnectionChoice

Parameters = ParamSpec("Parameters")
Context = TypeVar("Context")
Value = TypeVar("Value")
# The annotation that typer reads, and the default.
SharedOption: TypeAlias = tuple[object, object]
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


@dataclass(frozen=True, slots=True)
class Session:
    """One call of one command."""

    output: Output
    choice: ConnectionChoice

    def open_client(self, *, needs_key: bool = True) -> OutpostClient:
        """A client of the chosen service, to be used in a `with`. Raises UsageRefused when there is none."""
        connection = self.choice.resolve(needs_key=needs_key)
        return OutpostClient(connection.url, connection.api_key)


def with_shared_options(
    options: Mapping[str, SharedOption], open_context: Callable[..., Context]
) -> Callable[[Callable[Concatenate[Context, Parameters], None]], Callable[..., None]]:
    """Gives commands a context made of Output and the options, and the options to their signature, as typer reads it.

    The options have `as_json` among them, which goes into the Output.
    """

    def decorate(command: Callable[Concatenate[Context, Parameters], None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(*arguments: Parameters.args, **given: Parameters.kwargs) -> None:
            shared = {name: given.pop(name) for name in options}
            output = Output.open(as_json=bool(shared.pop("as_json")))
            report_errors(output, lambda: command(open_context(output, **shared), *arguments, **given))

        add_signature(run, [*read_parameters(command)[1:], *make_parameters(options)])
        return run

    return decorate


def open_session(output: Output, *, url: str | None, api_key: str | None, profile: str | None) -> Session:
    return Session(output=output, choice=ConnectionChoice(url=url, api_key=api_key, profile=profile))


def open_output(output: Output) -> Output:
    return output


JSON_OPTION: SharedOption = (JsonOption, False)
with_session = with_shared_options(
    {
        "url": (UrlOption, None),
        "api_key": (ApiKeyOption, None),
        "profile": (ProfileOption, None),
        "as_json": JSON_OPTION,
    },
    open_session,
)
# For a command that talks to no service.
with_output = with_shared_options({"as_json": JSON_OPTION}, open_output)


def make_option(panel: str, kind: Any, name: str, metavar: str, help_text: str, **settings: Any) -> SharedOption:
    """An option that need not be given."""
    option = typer.Option(name, metavar=metavar, help=help_text, rich_help_panel=panel, **settings)
    return Annotated[kind | None, option], None


def with_option_group(
    options: Mapping[str, SharedOption], read: Callable[[Mapping[str, Any]], Value]
) -> Callable[[Callable[Concatenate[Context, Value, Parameters], None]], Callable[..., None]]:
    """Gives commands, after their context, what `read` makes of the options, and the options to their signature."""

    def decorate(command: Callable[Concatenate[Context, Value, Parameters], None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(context: Context, /, *arguments: Parameters.args, **given: Parameters.kwargs) -> None:
            wanted = {name: given.pop(name) for name in options}
            command(context, read(wanted), *arguments, **given)

        context, _, *own = read_parameters(command)
        add_signature(run, [context, *own, *make_parameters(options)])
        return run

    return decorate


def read_parameters(command: Callable[..., None]) -> list[inspect.Parameter]:
    return list(inspect.signature(command, eval_str=True).parameters.values())


def make_parameters(options: Mapping[str, SharedOption]) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in options.items()
    ]


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
