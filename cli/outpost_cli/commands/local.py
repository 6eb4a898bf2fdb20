"""`outpost local` and `outpost demo`: the whole stack on this machine, from the optional extra `local`."""

import contextlib
import errno
import json
import shlex
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.text import Text

from outpost_cli.errors import ExitCode, LocalStackMissing, UsageRefused
from outpost_cli.local_aws import LocalAwsFile
from outpost_cli.output import Output
from outpost_cli.profiles import Judgement, Profile, ProfileFile
from outpost_cli.session import with_output
from outpost_cli.settings import API_KEY_VARIABLE, URL_VARIABLE
from outpost_cli.stopping import undisturbed_end
from outpost_cli.transport import is_loopback

local_app = typer.Typer(no_args_is_help=True, help="Run the whole stack on this machine, without an AWS account.")
TEMPLATE_NAME = "template.yaml"
STARTING = "Starting the stack ..."
OPERATE_LOCALLY = "outpost operator show --local"
PURPOSE = """This stack is for trying and testing only: it keeps everything in memory and forgets it at the end.
It has no containers: outside of the folders that are hidden from a run, the run's script works with your own rights
on this machine. Do not run what you do not trust."""


class LocalAws(Protocol):
    """The AWS inside a local stack."""

    @property
    def environment(self) -> Mapping[str, str]: ...


class RunningStack(Protocol):
    """What `local up` needs of a local stack."""

    @property
    def api_url(self) -> str: ...
    @property
    def api_key(self) -> str: ...
    @property
    def aws(self) -> LocalAws: ...
    @property
    def notes(self) -> Sequence[str]: ...


StartStack = Callable[[], AbstractContextManager[RunningStack]]


@local_app.command("up")
@with_output
def start_local(
    output: Output,
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The API's port; 0 takes a free one.")] = 0,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", help="A parameter of the template as NAME=VALUE; repeat it.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", help="Save URL and key as this profile until the end.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a profile that is not of a local stack.")] = False,
    template: Annotated[
        Path | None, typer.Option("--template", help="The stack's template; the checkout's own by default.")
    ] = None,
) -> None:
    """Serve the API on loopback until Ctrl-C, and print its URL and a fresh key. For trying and testing only.

    SIGTERM and a closed terminal end it as well. The exit code is 0 once a stack that was up has ended.

    Examples:

    outpost local up

    outpost local up --profile local --port 8080

    outpost local up --parameter GitBaseUrl=https://git.example.com
    """
    path, parameters = find_template(template), read_parameters(parameter or [])
    if profile is not None:
        ProfileFile.locate().check_name(profile, may_replace=judge_replacing(force))
    output.say(STARTING)
    try:
        from outpost_local import LocalStack  # noqa: PLC0415 - optional, and slow to import
    except ModuleNotFoundError as error:
        raise explain_missing_stack(error) from error
    serve_stack(
        output,
        lambda: LocalStack.start(template=path, parameters=parameters, port=port),
        profile=profile,
        force=force,
    )


def read_parameters(pairs: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE pairs as a mapping. Raises UsageRefused."""
    wrong = next((pair for pair in pairs if "=" not in pair), None)
    if wrong is not None:
        raise UsageRefused(f"{wrong} is not NAME=VALUE.", remedy="Write --parameter NAME=VALUE, once for each.")
    return dict(pair.split("=", 1) for pair in pairs)


@with_output
def run_demo(
    output: Output,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack up after the tour, until Ctrl-C.")] = False,
    template: Annotated[
        Path | None, typer.Option("--template", help="The stack's template; the checkout's own by default.")
    ] = None,
) -> None:
    """Take a tour on this machine: a run that changes files, one that times out, one that is cancelled.

    The exit code is 0 only if every run ended as it should.

    Examples:

    outpost demo

    outpost demo --keep
    """
    path = find_template(template)
    output.say(STARTING)
    try:
        from outpost_local.demo import give_tour  # noqa: PLC0415 - optional, and slow to import
    except ModuleNotFoundError as error:
        raise explain_missing_stack(error) from error
    report = give_tour(output.stderr if output.as_json else output.stdout, template=path, keep=keep)
    output.show_result(report.to_document())
    if report.complaints:
        raise typer.Exit(ExitCode.UNEXPECTED)


def explain_missing_stack(error: ModuleNotFoundError) -> LocalStackMissing:
    return LocalStackMissing(
        f"The local stack is not installed: the module {error.name} is missing.",
        remedy="Install it with: pip install 'outpost[local]'",
    )


def find_template(given: Path | None) -> Path:
    """The named template, or that of the checkout that this program is installed from, or of the current folder."""
    if given is not None and not given.is_file():
        raise UsageRefused(f"{given} is not a file.", remedy="Name the stack's template.yaml.")
    folders = [*Path(__file__).resolve().parents, Path.cwd()]
    candidates = [given] if given is not None else [folder / TEMPLATE_NAME for folder in folders]
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        raise UsageRefused("There is no template.yaml here.", remedy="Go to a checkout of Outpost, or use --template.")
    return found


def serve_stack(output: Output, start: StartStack, *, profile: str | None, force: bool) -> None:
    """Starts a stack, says how to reach it, and ends it on a stop signal."""
    try:
        with (
            start() as stack,
            saved_profile(profile, stack, force=force),
            open_to_operators(output, stack),
            undisturbed_end(),
            contextlib.suppress(KeyboardInterrupt),
        ):
            announce_stack(output, stack, profile=profile)
            threading.Event().wait()
    except ValueError as error:
        raise UsageRefused(str(error), remedy="template.yaml lists and describes its parameters.") from error
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise UsageRefused("The port is taken.", remedy="Choose another --port, or leave it out.") from error
    # Only now: of a terminal that was closed, every word is an error.
    output.say("Stopped; nothing is left behind.")


def judge_replacing(force: bool) -> Judgement:
    """A local stack may take the place of another one, which has most likely ended."""
    return lambda taken_by: force or is_loopback(taken_by.url)


@contextlib.contextmanager
def saved_profile(name: str | None, stack: RunningStack, *, force: bool = False) -> Iterator[None]:
    """Keeps the stack's URL and key under the name during the block, unless somebody saves something else there."""
    if name is None:
        yield
        return
    file, own = ProfileFile.locate(), Profile(url=stack.api_url, api_key=stack.api_key)
    file.save(name, own, may_replace=judge_replacing(force))
    try:
        yield
    finally:
        if file.read().get(name) == own:
            file.remove(name)


@contextlib.contextmanager
def open_to_operators(output: Output, stack: RunningStack) -> Iterator[None]:
    """Has `outpost operator --local` find the stack during the block. Where no file can be kept, says so."""
    with contextlib.ExitStack() as kept:
        try:
            kept.enter_context(LocalAwsFile.locate().keep(stack.aws.environment))
        except UsageRefused as error:
            output.say(Text(f"Note: {error} The operator's --local will not find this stack.", style="yellow"))
        yield


def announce_stack(output: Output, stack: RunningStack, *, profile: str | None) -> None:
    for note in stack.notes:
        output.say(Text(f"Note: {note}", style="yellow"))
    if output.as_json:
        # One line, so that a program can read it while the stack stays up.
        sys.stdout.write(json.dumps({"url": stack.api_url, "apiKey": stack.api_key}) + "\n")
        sys.stdout.flush()
        return
    output.stdout.print(Text.assemble(("URL  ", "bold"), stack.api_url), soft_wrap=True)
    output.stdout.print(Text.assemble(("Key  ", "bold"), stack.api_key), soft_wrap=True)
    output.stdout.print("\nFor your shell:", soft_wrap=True)
    output.stdout.print(f"export {URL_VARIABLE}={shlex.quote(stack.api_url)}", soft_wrap=True)
    output.stdout.print(f"export {API_KEY_VARIABLE}={shlex.quote(stack.api_key)}", soft_wrap=True)
    output.stdout.print(f"\nFor the operator's commands, in another terminal:\n{OPERATE_LOCALLY}", soft_wrap=True)
    if profile is not None:
        output.stdout.print(f"\nSaved as the profile {profile} until it ends.", soft_wrap=True)
    output.stdout.print(f"\n{PURPOSE}\nCtrl-C ends it.", soft_wrap=True)
    sys.stdout.flush()
