"""Watching a run at the terminal, in a pipe, and for a program, until it has ended."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from rich.live import Live

from outpost_cli.client import OutpostClient
from outpost_cli.errors import OutpostError, ServiceRefusal
from outpost_cli.event_stream import EventStream
from outpost_cli.event_views import list_message_lines
from outpost_cli.following import explain_interruption
from outpost_cli.json_fields import JsonObject
from outpost_cli.live_board import LiveBoard
from outpost_cli.models.event import Done, LogLines, Progress, StatusChange, StreamMessage
from outpost_cli.models.run import Run
from outpost_cli.output import Output
from outpost_cli.polling import wait_for_end
from outpost_cli.session import Session

LOOK_SECONDS = 2.0
# A look that hangs does not hold up the end.
LONGEST_FAREWELL_SECONDS = 1.0
BEGINS_AGAIN = "The place in the stream is not kept any more; it is read again from its beginning."
NAMES: dict[type[StreamMessage], str] = {StatusChange: "status", Progress: "progress", LogLines: "log", Done: "done"}


def watch_run(session: Session, client: OutpostClient, run_id: str) -> Run:
    """The run once it has ended. Ctrl-C leaves it alone and says so."""
    output = session.output
    try:
        if output.as_json:
            return watch_for_program(client, run_id)
        if output.stdout.is_terminal:
            return watch_live(session, client, run_id)
        return watch_in_pipe(client, output, run_id)
    except KeyboardInterrupt as error:
        raise explain_interruption(run_id) from error


def watch_in_pipe(client: OutpostClient, output: Output, run_id: str) -> Run:
    """A line for each change and each line of output."""
    for message in EventStream(client, run_id, on_restart=lambda _: output.say(BEGINS_AGAIN)):
        for line in list_message_lines(message):
            output.stdout.print(line, soft_wrap=True)
    return find_ended(client, run_id)


def watch_for_program(client: OutpostClient, run_id: str) -> Run:
    """A JSON object on stderr for each message of the stream."""

    def tell_restart(refusal: ServiceRefusal) -> None:
        write_message({"event": "error", "code": refusal.code, "message": refusal.message, "remedy": refusal.remedy})

    for message in EventStream(client, run_id, on_restart=tell_restart):
        write_message({"event": NAMES[type(message)], **message.document})
    return find_ended(client, run_id)


def write_message(document: JsonObject) -> None:
    sys.stderr.write(json.dumps(document) + "\n")
    sys.stderr.flush()


def watch_live(session: Session, client: OutpostClient, run_id: str) -> Run:
    """A view that is drawn anew while the run goes on, and stays when it has ended."""
    board = LiveBoard(client.get_run(run_id))
    stream = EventStream(client, run_id, on_restart=lambda _: board.note(BEGINS_AGAIN))
    with Live(board, console=session.output.stdout), look_now_and_then(session, run_id, board.look):
        for message in stream:
            board.hear(message)
        ended = find_ended(client, run_id)
        board.look(ended)
    return ended


@contextmanager
def look_now_and_then(session: Session, run_id: str, on_look: Callable[[Run], None]) -> Iterator[None]:
    """Looks at the run every few seconds beside the block, over connections of its own."""
    is_over = Event()

    def look() -> None:
        with session.open_client() as client:
            while not is_over.wait(LOOK_SECONDS):
                try:
                    on_look(client.get_run(run_id))
                except OutpostError:
                    # The stream tells what is wrong; the next look may succeed.
                    continue

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(LONGEST_FAREWELL_SECONDS)


def find_ended(client: OutpostClient, run_id: str) -> Run:
    """The run, whose stream has ended; its own record may be a moment behind."""
    return wait_for_end(client, run_id, on_look=lambda _: None)
