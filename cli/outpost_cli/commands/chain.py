"""`outpost chain`: the runs before and after one."""

from outpost_cli.commands.arguments import RunArgument
from outpost_cli.family import read_chain
from outpost_cli.family_views import render_chain
from outpost_cli.session import Session, with_session


@with_session
def show_chain(session: Session, run: RunArgument) -> None:
    """Show the runs that a run came from, and those that came from it, as a tree with their results.

    Each stands below the one that it came from; where several came from the same one they are its branches.

    With --json: the runs, each before those that came from it; `parentRunId` says from which.

    Examples:

    outpost chain last
    """
    with session.open_client() as client:
        run_id = client.resolve_run_id(run)
        runs = read_chain(client, run_id)
    session.output.show_result({"runs": [each.document for each in runs]}, render_chain(runs, run_id=run_id))
