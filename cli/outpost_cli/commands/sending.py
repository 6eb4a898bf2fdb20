"""How the commands that begin runs send what is wanted, tell the answer, and stay with the run."""

import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.text import Text

from outpost_cli.client import OutpostClient
from outpost_cli.errors import ServiceRefusal, UsageRefused
from outpost_cli.following import exit_with_outcome, follow_at_terminal, wait_at_terminal
from outpost_cli.models.run import Receipt
from outpost_cli.output import make_safe
from outpost_cli.session import Session
from outpost_cli.views import format_outcome, format_start

Answer = TypeVar("Answer")
TaskArgument = Annotated[str | None, typer.Argument(metavar="TASK", help="What to do; `-` reads it from stdin.")]
TaskFileOption = Annotated[Path | None, typer.Option("--task-file", "-F", help="Read the task from a file.")]
ModelOption = Annotated[str | None, typer.Option("--model", "-m", help="A model, or flagship, balanced, fast.")]
IdempotencyKeyOption = Annotated[
    str | None, typer.Option("--idempotency-key", help="Requests with the same key begin one thing only.")
]
WaitOption = Annotated[bool, typer.Option("--wait", "-w", help="Wait for the end; the exit code tells it.")]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Print the log until the end; same codes.")]

STDIN = "-"
# With 502 and 504 it was a gateway that spoke: it had no answer of the service.
NO_ANSWER = (None, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)


def refuse_both(*, wait: bool, follow: bool) -> None:
    if wait and follow:
        raise UsageRefused("--wait and --follow exclude each other.", remedy="Choose one.")


def send_with_key(session: Session, key: str, send: Callable[[], Answer]) -> Answer:
    """Sends what may happen once only. When no answer came, tells the key with which a repeat changes nothing more."""
    try:
        return send()
    except (ServiceRefusal, KeyboardInterrupt) as error:
        if isinstance(error, ServiceRefusal) and error.status not in NO_ANSWER:
            raise
        session.output.say(f"To repeat it without making two runs, add: --idempotency-key {key}")
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


def tell_receipt(session: Session, client: OutpostClient, receipt: Receipt, *, wait: bool, follow: bool) -> None:
    """Shows what was begun, or stays with it until its end, as was asked for."""
    if wait or follow:
        stay_with_run(session, client, receipt, follow=follow)
    else:
        show_receipt(session, receipt)


def show_receipt(session: Session, receipt: Receipt) -> None:
    run_id = make_safe(receipt.run_id)
    session.output.show_result(receipt.document, format_start(receipt))
    if receipt.is_replay:
        session.output.say("This idempotency key had made the run before: nothing new was started.")
    elif not session.output.as_json:
        session.output.say(Text(f"Watch it with: outpost watch {run_id}", style="dim"))


def stay_with_run(session: Session, client: OutpostClient, receipt: Receipt, *, follow: bool) -> None:
    session.output.say(f"Dispatched {make_safe(receipt.run_id)}")
    stay = follow_at_terminal if follow else wait_at_terminal
    run = stay(client, session.output, receipt.run_id)
    session.output.show_result(run.document, format_outcome(run))
    exit_with_outcome(run)
