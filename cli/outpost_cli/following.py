"""Staying with a run at the terminal: waiting with a spinner, or printing its log, and the exit code of its outcome."""

import typer
from rich.text import Text

from outpost_cli.client import OutpostClient
from outpost_cli.errors import ExitCode, Interrupted
from outpost_cli.models.page import LogLine
from outpost_cli.models.run import Run, RunStatus
from outpost_cli.output import Output
from outpost_cli.polling import LogFollower, wait_for_end
from outpost_cli.views import format_activity, format_log_line

OUTCOME_EXIT_CODES = {
    RunStatus.COMPLETED: ExitCode.OK,
    RunStatus.FAILED: ExitCode.RUN_FAILED,
    RunStatus.TIMEOUT: ExitCode.RUN_TIMEOUT,
    RunStatus.CANCELLED: ExitCode.RUN_CANCELLED,
}


class ChangeTeller:
    """Makes a run's activity line, once for each change. The end has a line of its own: its outcome."""

    def __init__(self) -> None:
        self._last: Text | None = None

    def tell(self, run: Run) -> Text | None:
        """The new line, or None when there is nothing new to say."""
        line = format_activity(run)
        if run.is_terminal or line == self._last:
            return None
        self._last = line
        return line


def wait_at_terminal(client: OutpostClient, output: Output, run_id: str) -> Run:
    """Waits for the end under a spinner. Ctrl-C leaves the run alone and says so."""
    changes = ChangeTeller()
    try:
        with output.show_activity() as activity:

            def look(run: Run) -> None:
                line = changes.tell(run)
                if line is not None:
                    activity.tell(line)

            return wait_for_end(client, run_id, on_look=look)
    except KeyboardInterrupt as error:
        raise explain_interruption(run_id) from error


def follow_at_terminal(client: OutpostClient, output: Output, run_id: str, *, with_time: bool = False) -> Run:
    """Prints log lines as they come until the end; to stderr when stdout is for one JSON document."""
    changes = ChangeTeller()
    console = output.stderr if output.as_json else output.stdout

    def print_line(line: LogLine) -> None:
        console.print(format_log_line(line, with_time=with_time), soft_wrap=True)

    def look(run: Run) -> None:
        line = changes.tell(run)
        if line is not None:
            output.say(line)

    try:
        return LogFollower(client=client, on_line=print_line, on_look=look).follow(run_id)
    except KeyboardInterrupt as error:
        raise explain_interruption(run_id) from error


def explain_interruption(run_id: str) -> Interrupted:
    return Interrupted(
        f"The run {run_id} goes on without you.",
        remedy=f"`outpost cancel {run_id}` stops it; `outpost watch {run_id}` watches it again.",
    )


def exit_with_outcome(run: Run) -> None:
    """Ends the command with the exit code of the run's outcome; returns for a completed run."""
    code = OUTCOME_EXIT_CODES[run.status]
    if code != ExitCode.OK:
        raise typer.Exit(code)
