"""`outpost runs`, `show`, `cancel`: what runs there are, one of them, and its end."""

from typing import Annotated

import typer
from rich.text import Text

from outpost_cli.client import RunFilter
from outpost_cli.commands.arguments import RunArgument, TagOption, parse_tags
from outpost_cli.durations import parse_moment
from outpost_cli.errors import ExitCode
from outpost_cli.following import wait_at_terminal
from outpost_cli.models.run import RunStatus
from outpost_cli.output import make_safe
from outpost_cli.run_views import render_explanation, render_run
from outpost_cli.session import Session, with_session
from outpost_cli.views import format_outcome, now_utc, render_runs

DEFAULT_LIMIT = 20


@with_session
def list_runs(
    session: Session,
    *,
    status: Annotated[
        RunStatus | None, typer.Option("--status", "-s", case_sensitive=False, help="Only runs of this status.")
    ] = None,
    agent: Annotated[str | None, typer.Option("--agent", "-a", help="Only runs of this agent.")] = None,
    repo: Annotated[str | None, typer.Option("--repo", "-r", help="Only runs on this repository.")] = None,
    tag: TagOption = None,
    parent: Annotated[
        str | None, typer.Option("--parent", metavar="RUN", help="Only reruns and follow-ups of this run.")
    ] = None,
    batch: Annotated[str | None, typer.Option("--batch", metavar="BATCH", help="Only runs of this batch.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Not older than a time or an age: 2h, 3d.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Not newer than a time or an age.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many.")] = DEFAULT_LIMIT,
    everything: Annotated[bool, typer.Option("--all", help="All of them, whatever --limit says.")] = False,
) -> None:
    """List runs, newest first.

    Examples:

    outpost runs --status failed --since 2d

    outpost runs --repo example/shop --tag team=web --all --json

    outpost runs --parent 01JZ0000000000000000000000
    """
    now = now_utc()
    chosen = RunFilter(
        status=status,
        agent=agent,
        repo=repo,
        tags=parse_tags(tag),
        since=None if since is None else parse_moment(since, now=now),
        until=None if until is None else parse_moment(until, now=now),
        parent=parent,
        batch=batch,
    )
    with session.open_client() as client:
        runs = list(client.iterate_runs(chosen, limit=None if everything else limit))
    session.output.show_result(
        {"runs": [run.document for run in runs]}, render_runs(runs, now=now, width=session.output.stdout.width)
    )
    if not runs:
        session.output.say("No run matches.")


@with_session
def show_run(session: Session, run: RunArgument) -> None:
    """Show one run: its timeline, its error with what to do, its result.

    Examples:

    outpost show last

    outpost show 01JZ0000000000000000000000 --json
    """
    with session.open_client() as client:
        found = client.get_run(client.resolve_run_id(run))
    session.output.show_result(found.document, render_run(found, now=now_utc()))


@with_session
def explain_run(session: Session, run: RunArgument) -> None:
    """Explain a run: what it waits for or why it ended, what led there, its last lines, and what to do.

    Examples:

    outpost explain last

    outpost explain last --json
    """
    with session.open_client() as client:
        explanation = client.explain_run(client.resolve_run_id(run))
    session.output.show_result(explanation.document, render_explanation(explanation))


@with_session
def cancel_run(
    session: Session,
    run: RunArgument,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for whoever looks at the run later.")] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait until its compute has stopped.")] = False,
) -> None:
    """Cancel a run. It is over when its status is CANCELLED: then its compute has stopped.

    With --wait the exit code is 0 once the run is cancelled, and 5 when it ended in another way first.

    Examples:

    outpost cancel last --reason "wrong branch" --wait
    """
    with session.open_client() as client:
        run_id = client.resolve_run_id(run)
        answer = client.cancel_run(run_id, reason=reason)
        if not wait:
            status = make_safe(str(answer.get("status", "")))
            session.output.show_result(answer, Text(f"{run_id} {status}"))
            return
        ended = wait_at_terminal(client, session.output, run_id)
    session.output.show_result(ended.document, format_outcome(ended))
    if ended.status != RunStatus.CANCELLED:
        raise typer.Exit(ExitCode.REFUSED)
