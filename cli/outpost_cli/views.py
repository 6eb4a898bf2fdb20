"""How runs, agents and results look to a person, in tables and lines. Every text of theirs is made safe first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, TypeVar

from rich.table import Table
from rich.text import Text

from outpost_cli.amounts import format_cost
from outpost_cli.diffstat import FileChange
from outpost_cli.durations import format_duration, format_size
from outpost_cli.models.check import Check
from outpost_cli.models.page import LogLine
from outpost_cli.models.result import Artifact
from outpost_cli.models.run import Receipt, Run, RunResult
from outpost_cli.models.run_error import RunError
from outpost_cli.models.service import Breaker, Health
from outpost_cli.output import make_safe, style_status

Row = TypeVar("Row")
# Its name, the width of a table from which on it is shown, and what it holds.
Column: TypeAlias = tuple[str, int, Callable[[Row], str | Text]]

NOTHING = "-"
STREAM_STYLES = {"stderr": "yellow", "runner": "dim"}
BREAKER_STYLES = {"closed": "green", "half-open": "yellow", "open": "red"}
STATE_STYLES = {"ok": "green", "degraded": "yellow", "down": "red"}


def make_table(*columns: str, whole: int = 1) -> Table:
    """A table without frame. In a narrow terminal all columns give way but the first `whole` ones."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number < whole)
    return table


def make_cell(text: str | Text, style: str = "") -> Text:
    """One line of a table, safe and cut where it does not fit."""
    cell = text if isinstance(text, Text) else Text(make_safe(text), style=style)
    cell.no_wrap, cell.overflow = True, "ellipsis"
    return cell


def render_rows(columns: Sequence[Column[Row]], rows: Iterable[Row], *, width: int, whole: int) -> Table:
    """A table of so many characters. The first `whole` columns are always whole; others are dropped, then cut."""
    shown = [(name, read) for name, from_width, read in columns if width >= from_width]
    table = make_table(*(name for name, _ in shown), whole=whole)
    for row in rows:
        table.add_row(*(make_cell(read(row)) for _, read in shown))
    return table


def render_runs(runs: Iterable[Run], *, now: datetime, width: int) -> Table:
    """Id and status are always whole."""
    columns: list[Column[Run]] = [
        ("RUN", 0, lambda run: run.run_id),
        ("STATUS", 0, format_place),
        ("AGENT", 50, lambda run: run.agent),
        ("MODEL", 120, lambda run: run.model_id or NOTHING),
        ("REPO", 80, lambda run: run.repo or NOTHING),
        ("AGE", 60, lambda run: format_duration(now - run.created_at)),
        ("DURATION", 90, lambda run: format_run_time(run, now=now)),
        ("COST", 100, lambda run: format_cost(run.usage) or NOTHING),
    ]
    return render_rows(columns, runs, width=width, whole=2)


def format_run_time(run: Run, *, now: datetime) -> str:
    """How long the agent has been or was at work."""
    if run.started_at is None:
        return NOTHING
    return format_duration((run.ended_at or now) - run.started_at)


def render_facts(facts: Mapping[str, str | Text | None]) -> Table:
    """Names and values below each other; what is None or empty is left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for name, value in facts.items():
        if value:
            grid.add_row(Text(name, style="bold"), value if isinstance(value, Text) else Text(make_safe(value)))
    return grid


def format_statistics(result: RunResult) -> str:
    counts = format_counts(result.files_changed, result.insertions, result.deletions)
    return f"{counts}, {result.renames} renamed" if result.renames else counts


def format_counts(files: int, insertions: int, deletions: int) -> str:
    """As `git diff --shortstat` says it, with every count."""
    counted = [(files, "file", " changed"), (insertions, "insertion", "(+)"), (deletions, "deletion", "(-)")]
    return ", ".join(f"{count} {noun}{'' if count == 1 else 's'}{end}" for count, noun, end in counted)


def format_outcome(run: Run) -> Text:
    """One line on how a run ended, what its check says, and what it cost."""
    line = Text.assemble(make_safe(run.run_id), " ", style_status(run.status))
    cost = format_cost(run.usage)
    if run.error is not None:
        line.append(f" {make_safe(run.error.code)}: {make_safe(run.error.message)}{f' ({cost})' if cost else ''}")
        return line
    statistics = Text(format_statistics(run.result)) if run.result else None
    verdict = format_check(run.check)
    check = Text.assemble("check ", verdict) if verdict else None
    told = [part for part in (statistics, check, Text(cost or "")) if part]
    return Text(" ").join([line, Text(", ").join(told)]) if told else line


def format_check(check: Check | None) -> Text | None:
    """The check's verdict in a word or two; None while there is none."""
    if check is None or check.has_passed is None:
        return None
    if check.has_passed:
        return Text("passed", style="green")
    return Text("timed out" if check.has_timed_out else "failed", style="red")


def render_error(error: RunError) -> list[Text]:
    """Why something ended badly, and what to do."""
    told = (make_safe(error.code), "bold"), ": ", make_safe(error.message)
    lines = [Text.assemble(("Error ", "bold red"), *told)]
    return [*lines, Text(f"What to do: {make_safe(error.remedy)}")] if error.remedy else lines


def format_place(run: Run) -> Text:
    """The status, of a waiting run with its place in the queue: `QUEUED 3`."""
    status = style_status(run.status)
    return status.append(f" {run.queue_position}") if run.queue_position else status


def format_start(run: Run | Receipt) -> Text:
    """A run's id and status, of a waiting run with its place in the queue."""
    line = Text.assemble(make_safe(run.run_id), " ", style_status(run.status))
    return line.append(f" at queue position {run.queue_position}") if run.queue_position else line


def format_activity(run: Run) -> Text:
    """One line on where a run is now."""
    line = format_start(run)
    if run.queue_position:
        return line
    if run.phase and not run.is_terminal:
        line.append(f" {make_safe(run.phase)}")
    return line


def format_log_line(line: LogLine, *, with_time: bool) -> Text:
    text = Text(make_safe(line.message), style=STREAM_STYLES.get(line.stream, ""))
    return (
        Text.assemble((f"{make_safe(line.timestamp)} {make_safe(line.stream):6} ", "dim"), text) if with_time else text
    )


def render_artifacts(artifacts: Iterable[Artifact]) -> Table:
    table = make_table("NAME", "TYPE", "SIZE", "SHA-256")
    for artifact in artifacts:
        table.add_row(
            make_cell(artifact.name),
            make_cell(artifact.type),
            make_cell(format_size(artifact.size_bytes)),
            make_cell(artifact.sha256),
        )
    return table


def render_diffstat(changes: Iterable[FileChange]) -> Table:
    table = make_table("FILE", "+", "-")
    for change in changes:
        counts = ("binary", "") if change.is_binary else (f"+{change.insertions}", f"-{change.deletions}")
        table.add_row(make_cell(change.name), make_cell(counts[0], "green"), make_cell(counts[1], "red"))
    return table


def format_breaker(breaker: Breaker) -> Text:
    """The state of a breaker, of an open one with the time until it lets a run through."""
    text = Text(make_safe(breaker.state), style=BREAKER_STYLES.get(breaker.state, ""))
    wait = breaker.retry_after_seconds
    return text if wait is None else text.append(f" for {format_duration(timedelta(seconds=wait))}")


def render_health(health: Health) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    states = [("service", health.status), *health.components]
    for name, state in states:
        grid.add_row(Text(make_safe(name)), Text(make_safe(state), style=STATE_STYLES.get(state, "")))
    grid.add_row("version", Text(make_safe(health.version or NOTHING)))
    return grid


def now_utc() -> datetime:
    return datetime.now(UTC)
