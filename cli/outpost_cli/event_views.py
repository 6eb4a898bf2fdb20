"""How what happens to a run looks to a person: a timeline, and lines as it goes on. Every text is made safe first."""

from collections.abc import Iterable
from datetime import datetime

from rich.table import Table
from rich.text import Text

from outpost_cli.durations import format_local_moment
from outpost_cli.models.event import Done, LogLines, Progress, RunEvent, StatusChange, StreamMessage
from outpost_cli.output import make_safe, style_status
from outpost_cli.views import NOTHING, format_log_line, make_cell, make_table


def render_events(events: Iterable[RunEvent]) -> Table:
    table = make_table("TIME", "EVENT", "ATTEMPT", "DETAILS", whole=2)
    for event in events:
        table.add_row(
            make_cell(format_local_moment(event.at)),
            make_cell(event.type),
            make_cell(NOTHING if event.attempt is None else str(event.attempt)),
            make_cell(format_details(event) or NOTHING),
        )
    return table


def format_event(event: RunEvent) -> Text:
    """One line on an event, for a timeline that goes on."""
    attempt = f"attempt {event.attempt}" if event.attempt is not None and event.attempt > 1 else ""
    words = " ".join(filter(None, [make_safe(event.type), attempt, make_safe(format_details(event))]))
    return Text.assemble((f"{format_local_moment(event.at)} ", "dim"), words)


def format_details(event: RunEvent) -> str:
    return " ".join(f"{name}={value}" for name, value in event.details.items() if value is not None)


def list_message_lines(message: StreamMessage) -> list[Text]:
    """The lines that tell a message of a stream; the output of the agent is as it came."""
    match message:
        case StatusChange(status=status, attempt=attempt, at=at):
            line = Text.assemble((f"{format_clock(at)} ", "dim"), "status ", style_status(status))
            return [line.append(f" attempt {attempt}") if attempt is not None and attempt > 1 else line]
        case Progress(at=at):
            return [Text.assemble((f"{format_clock(at)} ", "dim"), make_safe(format_progress(message)))]
        case LogLines(lines=lines):
            return [format_log_line(line, with_time=False) for line in lines]
        case Done():
            return []


def format_progress(progress: Progress) -> str:
    """`phase cloning`, `run.budget-nearly-used: Four fifths are used.`"""
    what = progress.type if progress.phase is None else f"phase {progress.phase}"
    return f"{what}: {progress.message}" if progress.message else what


def format_clock(moment: datetime) -> str:
    return moment.astimezone().strftime("%H:%M:%S")
