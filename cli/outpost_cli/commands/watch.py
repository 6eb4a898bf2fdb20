"""`outpost watch`: a run, live."""

from outpost_cli.commands.arguments import RunArgument
from outpost_cli.following import exit_with_outcome
from outpost_cli.session import Session, with_session
from outpost_cli.views import format_outcome
from outpost_cli.watching import watch_run


@with_session
def watch(session: Session, run: RunArgument) -> None:
    """Watch a run until its end: status, phase, tokens, cost and its last lines, live. The exit code tells its outcome.

    In a pipe: a line for each change, and the output. With --json: the run after its end, and on stderr each event as
    a JSON object on a line.

    Examples:

    outpost watch last

    outpost watch 01JZ0000000000000000000000 --json 2> events.ndjson
    """
    with session.open_client() as client:
        ended = watch_run(session, client, client.resolve_run_id(run))
    session.output.show_result(ended.document, format_outcome(ended))
    exit_with_outcome(ended)
