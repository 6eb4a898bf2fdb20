"""The program `outpost`: its commands put together."""

import errno
import io
import sys
from typing import Annotated

import stamina.instrumentation
import typer

from outpost_cli import __version__
from outpost_cli.commands.artifacts import fetch_artifacts
from outpost_cli.commands.batch import batch_app
from outpost_cli.commands.chain import show_chain
from outpost_cli.commands.dispatch import dispatch
from outpost_cli.commands.events import show_events
from outpost_cli.commands.keys import keys_app
from outpost_cli.commands.kill_switch import kill_switch_app
from outpost_cli.commands.local import local_app, run_demo
from outpost_cli.commands.login import issue_token, log_in, show_identity
from outpost_cli.commands.logs import show_logs
from outpost_cli.commands.operator import operator_app
from outpost_cli.commands.patch import fetch_patch
from outpost_cli.commands.profile import profile_app
from outpost_cli.commands.promote import promote, show_run_promotion
from outpost_cli.commands.runs import cancel_run, explain_run, list_runs, show_run
from outpost_cli.commands.secrets import secrets_app
from outpost_cli.commands.service import show_fleet, show_health, show_version
from outpost_cli.commands.succession import follow_up, rerun
from outpost_cli.commands.watch import watch
from outpost_cli.commands.workspaces import workspaces_app
from outpost_cli.errors import ExitCode
from outpost_cli.parser import OutpostGroup
from outpost_cli.stopping import refuse_stop_signals, take_stop_signals

EXIT_CODES = """Exit codes:

- 0: fine
- 1: unexpected
- 2: wrong usage
- 3: not authorised
- 4: not found
- 5: refused by the state of things or the input
- 6: a limit is reached
- 7: the service is unavailable
- 10, 11, 12: with watch, --wait and --follow, the run ended FAILED, TIMEOUT, CANCELLED; a promotion FAILED: 10
- 130: interrupted by Ctrl-C, SIGTERM or a closed terminal
"""

app = typer.Typer(
    name="outpost",
    cls=OutpostGroup,
    no_args_is_help=True,
    epilog=EXIT_CODES,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"outpost {__version__}")
        raise typer.Exit


def tell_retry(details: stamina.instrumentation.RetryDetails) -> None:
    """Says on stderr why nothing happens for a while."""
    typer.echo(f"{details.caused_by} Trying again in {details.wait_for:.1f} s.", err=True)


@app.callback()
def outpost(
    _version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Dispatch coding agents, and see what becomes of it.

    The service comes from --url and --api-key, a saved --profile, or OUTPOST_URL and OUTPOST_API_KEY.
    """
    stamina.instrumentation.set_on_retry_hooks([tell_retry])


WORK = "Work"
RESULTS = "Results"
ACCOUNT = "Account"
SERVICE = "Service"
OPERATION = "For operators"
LOCAL = "On this machine"

app.command("dispatch", rich_help_panel=WORK)(dispatch)
app.command("follow-up", rich_help_panel=WORK)(follow_up)
app.command("rerun", rich_help_panel=WORK)(rerun)
app.add_typer(batch_app, name="batch", rich_help_panel=WORK)
app.command("runs", rich_help_panel=WORK)(list_runs)
app.command("show", rich_help_panel=WORK)(show_run)
app.command("chain", rich_help_panel=WORK)(show_chain)
app.command("watch", rich_help_panel=WORK)(watch)
app.command("explain", rich_help_panel=WORK)(explain_run)
app.command("cancel", rich_help_panel=WORK)(cancel_run)
app.command("events", rich_help_panel=RESULTS)(show_events)
app.command("logs", rich_help_panel=RESULTS)(show_logs)
app.command("patch", rich_help_panel=RESULTS)(fetch_patch)
app.command("artifacts", rich_help_panel=RESULTS)(fetch_artifacts)
app.command("promote", rich_help_panel=RESULTS)(promote)
app.command("promotion", rich_help_panel=RESULTS)(show_run_promotion)
app.add_typer(workspaces_app, name="workspaces", rich_help_panel=RESULTS)
app.command("login", rich_help_panel=ACCOUNT)(log_in)
app.command("whoami", rich_help_panel=ACCOUNT)(show_identity)
app.command("token", rich_help_panel=ACCOUNT)(issue_token)
app.add_typer(keys_app, name="keys", rich_help_panel=ACCOUNT)
app.add_typer(secrets_app, name="secrets", rich_help_panel=ACCOUNT)
app.add_typer(kill_switch_app, name="kill-switch", rich_help_panel=ACCOUNT)
app.add_typer(profile_app, name="profile", rich_help_panel=ACCOUNT)
app.command("fleet", rich_help_panel=SERVICE)(show_fleet)
app.command("health", rich_help_panel=SERVICE)(show_health)
app.command("version", rich_help_panel=SERVICE)(show_version)
app.add_typer(operator_app, name="operator", rich_help_panel=OPERATION)
app.add_typer(local_app, name="local", rich_help_panel=LOCAL)
app.command("demo", rich_help_panel=LOCAL)(run_demo)


def main() -> None:
    """The console script. A stop signal ends it with 130, wherever it is, and has it clean up first."""
    try:
        try:
            take_stop_signals()
            run_app()
        finally:
            refuse_stop_signals()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except OSError as error:
        # So end the words to a terminal that was closed.
        if error.errno != errno.EIO:
            raise
        sys.exit(ExitCode.INTERRUPTED)


def run_app() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A log line with an emoji must not end the program in a terminal that has none.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()
