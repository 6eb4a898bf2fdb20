"""`outpost patch`: a run's work as a diff."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from outpost_cli.commands.arguments import RunArgument
from outpost_cli.diffstat import FileChange, read_changes
from outpost_cli.download import Download
from outpost_cli.errors import UsageRefused
from outpost_cli.session import Session, with_session
from outpost_cli.views import format_counts, render_diffstat


@with_session
def fetch_patch(
    session: Session,
    run: RunArgument,
    *,
    output_file: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Save it as FILE, checked against its SHA-256."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
    stat: Annotated[bool, typer.Option("--stat", help="Print the changed lines of each file instead.")] = False,
) -> None:
    """Print a run's patch, byte for byte, or save it. With --json: where it lies, and its statistics.

    Examples:

    outpost patch last | git apply

    outpost patch last --stat

    outpost patch last --output fix.patch
    """
    if stat and output_file is not None:
        raise UsageRefused("--stat and --output exclude each other.", remedy="Choose one.")
    with session.open_client() as client:
        run_id = client.resolve_run_id(run)
        if output_file is not None:
            link = client.describe_patch(run_id)
            Download(client=client, file=link, target=output_file, may_overwrite=overwrite).run(lambda _: None)
            session.output.say(Text(f"{output_file}: {link.size_bytes} bytes"))
            session.output.show_result(link.document)
            return
        if session.output.as_json:
            session.output.show_result(client.describe_patch(run_id).document)
            return
        diff = client.get_patch(run_id)
    if stat:
        changes = read_changes(diff)
        session.output.show_result(None, render_diffstat(changes), format_total(changes))
    else:
        sys.stdout.buffer.write(diff)
        sys.stdout.buffer.flush()


def format_total(changes: list[FileChange]) -> str:
    insertions = sum(change.insertions for change in changes)
    deletions = sum(change.deletions for change in changes)
    return format_counts(len(changes), insertions, deletions)
