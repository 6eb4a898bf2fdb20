"""`outpost dispatch`: sends a task to an agent."""

import sys
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from outpost_cli.client import Dispatch, OutpostClient, make_idempotency_key
from outpost_cli.commands.arguments import TagOption, parse_tags
from outpost_cli.durations import parse_optional_duration
from outpost_cli.errors import ServiceRefusal, UsageRefused
from outpost_cli.following import exit_with_outcome, follow_at_terminal, wait_at_terminal
from outpost_cli.means_options import with_means
from outpost_cli.models.means import Means
from outpost_cli.models.run import Priority, Receipt
from outpost_cli.output import make_safe
from outpost_cli.session import Session, with_session
from outpost_cli.views import format_outcome, format_start

STDIN = "-"
# With 502 and 504 it was a gateway that spoke: it had no answer of the service.
NO_ANSWER = (None, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)


@with_session
@with_means
def dispatch(
    session: Session,
    means: Means,
    *,
    task: Annotated[str | None, typer.Argument(metavar="TASK", help="What to do; `-` reads it from stdin.")] = None,
    agent: Annotated[str, typer.Option("--agent", "-a", help="Who does it; `outpost fleet` lists the agents.")],
    task_file: Annotated[Path | None, typer.Option("--task-file", "-F", help="Read the task from a file.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="A model, or flagship, balanced, fast.")] = None,
    repo: Annotated[str | None, typer.Option("--repo", "-r", help="owner/name of the repository to work on.")] = None,
    branch: Annotated[str | None, typer.Option("--branch", "-b", help="The branch to start from.")] = None,
    timeout: Annotated[str | None, typer.Option("--timeout", "-t", help="Time limit: 600, 10m, 1h30m.")] = None,
    priority: Annotated[
        Priority | None, typer.Option("--priority", case_sensitive=False, help="When it has to wait for a free slot.")
    ] = None,
    queue_timeout: Annotated[
        str | None, typer.Option("--queue-timeout", help="How long it may wait for a free slot: 30m, 2h.")
    ] = None,
    tag: TagOption = None,
    user_id: Annotated[str | None, typer.Option("--user-id", help="Who asks for it, as a label.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", help="Dispatches with the same key make one run.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait for the end; the exit code tells it.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print the log until the end; same codes.")] = False,
) -> None:
    """Send a task to an agent.

    Examples:

    outpost dispatch "Mend the failing test" --agent claude --repo example/shop --wait

    outpost dispatch - --agent shell --timeout 10m --follow < script.sh

    outpost dispatch --task-file task.md --agent codex --tag team=web --json

    outpost dispatch "Update the changelog" --agent aider --priority low --queue-timeout 6h

    outpost dispatch "Speed up the build" --agent claude --repo example/shop --max-cost-usd 2 --cpu-units 4096
    """
    if wait and follow:
        raise UsageRefused("--wait and --follow exclude each other.", remedy="Choose one.")
    request = Dispatch(
        agent=agent,
        task=read_task(task, task_file),
        model_id=model,
        repo=repo,
        branch=branch,
        means=means,
        timeout_seconds=parse_optional_duration(timeout),
        queue_timeout_seconds=parse_optional_duration(queue_timeout),
        priority=priority,
        tags=parse_tags(tag),
        user_id=user_id,
        idempotency_key=idempotency_key or make_idempotency_key(),
    )
    with session.open_client() as client:
        receipt = send_dispatch(session, client, request)
        if wait or follow:
            stay_with_run(session, client, receipt, follow=follow)
        else:
            show_receipt(session, receipt)


def send_dispatch(session: Session, client: OutpostClient, request: Dispatch) -> Receipt:
    """Sends the dispatch. When no answer came, tells the key with which a repeat does not make a second run."""
    try:
        return client.dispatch(request)
    except (ServiceRefusal, KeyboardInterrupt) as error:
        if isinstance(error, ServiceRefusal) and error.status not in NO_ANSWER:
            raise
        session.output.say(f"To repeat it without making two runs, add: --idempotency-key {request.idempotency_key}")
        raise


def read_task(task: str | None, task_file: Path | None) -> str:
    """The task from the one place that was named. Raises UsageRefused."""
    if (task is None) == (task_file is None):
        raise UsageRefused("Give one task.", remedy="As an argument, as `-` for stdin, or with --task-file.")
    try:
        if task_file is not None:
            return task_file.read_text(encoding="utf-8")
        return sys.stdin.buffer.read().decode("utf-8") if task == STDIN else str(task)
    except OSError as error:
        raise UsageRefused(f"{task_file} cannot be read: {error.strerror}.", remedy="Name a readable file.") from error
    except UnicodeDecodeError as error:
        raise UsageRefused("The task is not UTF-8 text.", remedy="Convert it to UTF-8.") from error


def show_receipt(session: Session, receipt: Receipt) -> None:
    run_id = make_safe(receipt.run_id)
    session.output.show_result(receipt.document, format_start(receipt))
    if receipt.is_replay:
        session.output.say("This idempotency key had made the run before: nothing new was started.")
    elif not session.output.as_json:
        session.output.say(Text(f"Watch it with: outpost logs {run_id} --follow", style="dim"))


def stay_with_run(session: Session, client: OutpostClient, receipt: Receipt, *, follow: bool) -> None:
    session.output.say(f"Dispatched {make_safe(receipt.run_id)}")
    stay = follow_at_terminal if follow else wait_at_terminal
    run = stay(client, session.output, receipt.run_id)
    session.output.show_result(run.document, format_outcome(run))
    exit_with_outcome(run)
