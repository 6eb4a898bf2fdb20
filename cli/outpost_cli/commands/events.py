"""`outpost events`: the timeline of a run."""

import json
import sys
from typing import Annotated

import typer

from outpost_cli.client import OutpostClient
from outpost_cli.commands.arguments import RunArgument
from outpost_cli.event_views import format_event, render_events
from outpost_cli.following import exit_with_outcome, explain_interruption
from outpost_cli.models.event import RunEvent
from outpost_cli.output import Output
from outpost_cli.polling import follow_events, read_whole_timeline, wait_for_end
from outpost_cli.session import Session, with_session
from outpost_cli.views import format_outcome


@with_session
def show_events(
    session: Session,
    run: RunArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
) -> None:
    """Show what has happened to a run, oldest first. With --follow the exit code tells its outcome (10, 11, 12).

    Examples:

    outpost events last

    outpost events 01JZ0000000000000000000000 --follow --json
    """
    with session.open_client() as client:
        run_id = client.resolve_run_id(run)
        if follow:
            follow_timeline(session.output, client, run_id)
            return
        events = list(read_whole_timeline(client, run_id))
    session.output.show_result({"events": [event.document for event in events]}, render_events(events))


def follow_timeline(output: Output, client: OutpostClient, run_id: str) -> None:
    """Prints each event as it happens; with JSON to stderr, as stdout is for the one document at the end."""
    events: list[RunEvent] = []
    try:
        for event in follow_events(client, run_id):
            events.append(event)
            show_event(output, event)
        ended = wait_for_end(client, run_id, on_look=lambda _: None)
    except KeyboardInterrupt as error:
        raise explain_interruption(run_id) from error
    output.show_result({"events": [event.document for event in events]})
    output.say(format_outcome(ended))
    exit_with_outcome(ended)


def show_event(output: Output, event: RunEvent) -> None:
    if output.as_json:
        sys.stderr.write(json.dumps(event.document) + "\n")
        sys.stderr.flush()
        return
    output.stdout.print(format_event(event), soft_wrap=True)
