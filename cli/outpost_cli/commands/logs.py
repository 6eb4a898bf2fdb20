"""`outpost logs`: what an agent and its runner printed."""

from typing import Annotated

import typer

from outpost_cli.client import OutpostClient
from outpost_cli.commands.arguments import RunArgument
from outpost_cli.following import exit_with_outcome, follow_at_terminal
from outpost_cli.output import Output
from outpost_cli.polling import read_whole_log
from outpost_cli.session import Session, with_session
from outpost_cli.views import format_log_line, format_outcome


@with_session
def show_logs(
    session: Session,
    run: RunArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="Put time and stream before each line.")
    ] = False,
) -> None:
    """Print the log of a run. With --follow the exit code tells the run's outcome (10, 11, 12).

    Examples:

    outpost logs last --follow

    outpost logs 01JZ0000000000000000000000 --timestamps
    """
    output = session.output
    with session.open_client() as client:
        run_id = client.resolve_run_id(run)
        ended = follow_at_terminal(client, output, run_id, with_time=timestamps) if follow else None
        if ended is None or output.as_json:
            show_written_log(client, output, run_id, with_time=timestamps)
    if ended is not None:
        output.say(format_outcome(ended))
        exit_with_outcome(ended)


def show_written_log(client: OutpostClient, output: Output, run_id: str, *, with_time: bool) -> None:
    """Prints it as it is read, page by page: it may be long. One document needs all of it."""
    lines = read_whole_log(client, run_id)
    if output.as_json:
        output.show_result({"lines": [line.document for line in lines]})
        return
    for line in lines:
        output.show_result(None, format_log_line(line, with_time=with_time))
