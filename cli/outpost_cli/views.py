"""How runs, agents and results look to a person. Every text that comes from a run is made safe first."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from outpost_cli.diffstat import FileChange
from outpost_cli.durations import format_duration, format_local_moment, format_size
from outpost_cli.models.explanation import Explanation
from outpost_cli.models.page import LogLine
from outpost_cli.models.result import Artifact
from outpost_cli.models.run import Run, RunResult, RunStatus
from outpost_cli.models.service import Fleet, Health
from outpost_cli.output import make_safe, style_status

NOTHING = "-"
LONGEST_TASK = 100
STREAM_STYLES = {"stderr": "yellow", "runner": "dim"}
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


def render_runs(runs: Iterable[Run], *, now: datetime, width: int) -> Table:
    """A table of so many characters. Id and status are always whole; other columns are dropped, then cut."""
    columns: list[tuple[str, int, Callable[[Run], str | Text]]] = [
        ("RUN", 0, lambda run: run.run_id),
        ("STATUS", 0, lambda run: style_status(run.status)),
        ("AGENT", 50, lambda run: run.agent),
        ("MODEL", 110, lambda run: run.model_id or NOTHING),
        ("REPO", 80, lambda run: run.repo or NOTHING),
        ("AGE", 60, lambda run: format_duration(now - run.created_at)),
        ("DURATION", 90, lambda run: format_run_time(run, now=now)),
    ]
    shown = [(name, read) for name, from_width, read in columns if width >= from_width]
    table = make_table(*(name for name, _ in shown), whole=2)
    for run in runs:
        table.add_row(*(make_cell(read(run)) for _, read in shown))
    return table


def format_run_time(run: Run, *, now: datetime) -> str:
    """How long the agent has been or was at work."""
    if run.started_at is None:
        return NOTHING
    return format_duration((run.ended_at or now) - run.started_at)


def render_run(run: Run, *, now: datetime) -> RenderableType:
    """The card of one run: what it is, when what happened, how it ended."""
    parts: list[RenderableType] = [render_run_facts(run), Text(), Text("Timeline", style="bold"), render_timeline(run)]
    if run.error is not None:
        parts += [
            Text(),
            Text.assemble(
                ("Error ", "bold red"), (make_safe(run.error.code), "bold"), ": ", make_safe(run.error.message)
            ),
        ]
        parts += [Text(f"What to do: {make_safe(run.error.remedy)}")] if run.error.remedy else []
    if run.result is not None:
        parts += [Text(), Text.assemble(("Result ", "bold"), format_statistics(run.result))]
        parts += render_last_output(run.result.summary) if run.result.summary else []
    if not run.is_terminal and run.started_at is not None:
        parts += [Text(), Text(f"At work for {format_run_time(run, now=now)}.")]
    return Group(*parts)


def render_explanation(explanation: Explanation) -> RenderableType:
    """Why a run is where it is, what led there, its last lines, and what to do."""
    head = Text.assemble((f"{make_safe(explanation.run_id)} ", "bold"), style_status(explanation.status))
    grid = Table.grid(padding=(0, 2, 0, 0))
    for cause in explanation.causes:
        grid.add_row(f"  {format_local_moment(cause.at)}", Text(make_safe(cause.message)))
    parts: list[RenderableType] = [head, Text(make_safe(explanation.summary))]
    parts += [Text(f"It waits for {make_safe(explanation.waits_for)}.")] if explanation.waits_for else []
    parts += [Text(), Text("What led here", style="bold"), grid]
    parts += render_last_output("\n".join(line.message for line in explanation.lines)) if explanation.lines else []
    parts += [Text(), Text(f"What to do: {make_safe(explanation.remedy)}")] if explanation.remedy else []
    return Group(*parts)


def render_last_output(summary: str) -> list[RenderableType]:
    return [Text(), Text("Last output", style="bold"), Padding(Text(make_safe(summary)), (0, 0, 0, 2))]


def format_exit_code(run: Run) -> str | None:
    """The agent's exit code; that of an agent that was stopped says nothing about its work."""
    if run.exit_code is None or run.status not in {RunStatus.CANCELLED, RunStatus.TIMEOUT}:
        return None if run.exit_code is None else str(run.exit_code)
    return f"{run.exit_code} (of the agent that was stopped)"


def render_run_facts(run: Run) -> Table:
    progress = " ".join(filter(None, [run.progress.phase, run.progress.message] if run.progress else []))
    facts = {
        "Agent": " ".join(filter(None, [run.agent, run.model_id])),
        "Task": shorten(run.task),
        "Repository": " ".join(filter(None, [run.repo, run.branch and f"({run.branch})"])),
        "Tags": " ".join(f"{name}={value}" for name, value in run.tags),
        "Time limit": run.timeout_seconds and format_duration(timedelta(seconds=run.timeout_seconds)),
        "Asked by": run.requested_by,
        "Queue": run.queue_position and f"position {run.queue_position}",
        "Progress": None if run.is_terminal else progress,
        "Attempt": str(run.attempt) if (run.attempt or 1) > 1 else None,
        "Exit code": format_exit_code(run),
    }
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_row(Text("Run", style="bold"), Text(make_safe(run.run_id)))
    grid.add_row(Text("Status", style="bold"), style_status(run.status))
    for name, value in facts.items():
        if value:
            grid.add_row(Text(name, style="bold"), Text(make_safe(value)))
    return grid


def render_timeline(run: Run) -> Table:
    moments = {
        "created": run.created_at,
        "started": run.started_at,
        "cancel requested": run.cancel_requested_at,
        "compute stopped": run.compute_stopped_at,
        "ended": run.ended_at,
    }
    grid = Table.grid(padding=(0, 2, 0, 0))
    known = [(moment, name) for name, moment in moments.items() if moment is not None]
    for moment, name in sorted(known, key=lambda entry: entry[0]):
        since = f"+{format_duration(moment - run.created_at)}"
        grid.add_row(f"  {format_local_moment(moment)}", since, name)
    return grid


def format_statistics(result: RunResult) -> str:
    return format_counts(result.files_changed, result.insertions, result.deletions)


def format_counts(files: int, insertions: int, deletions: int) -> str:
    """As `git diff --shortstat` says it, with every count."""
    counted = [(files, "file", " changed"), (insertions, "insertion", "(+)"), (deletions, "deletion", "(-)")]
    return ", ".join(f"{count} {noun}{'' if count == 1 else 's'}{end}" for count, noun, end in counted)


def format_outcome(run: Run) -> Text:
    """One line on how a run ended."""
    line = Text.assemble(make_safe(run.run_id), " ", style_status(run.status))
    if run.error is not None:
        line.append(f" {make_safe(run.error.code)}: {make_safe(run.error.message)}")
    elif run.result is not None:
        line.append(f" {format_statistics(run.result)}")
    return line


def format_activity(run: Run) -> Text:
    """One line on where a run is now."""
    line = Text.assemble(make_safe(run.run_id), " ", style_status(run.status))
    if run.queue_position:
        line.append(f" at queue position {run.queue_position}")
    elif run.phase and not run.is_terminal:
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


def render_fleet(fleet: Fleet) -> Table:
    table = make_table("AGENT", "AVAILABLE", "DEFAULT MODEL")
    for agent in fleet.agents:
        available = make_cell("yes", "green") if agent.is_available else make_cell("no", "red")
        table.add_row(make_cell(agent.name), available, make_cell(agent.model_id or NOTHING))
    return table


def render_health(health: Health) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    states = [("service", health.status), *health.components]
    for name, state in states:
        grid.add_row(Text(make_safe(name)), Text(make_safe(state), style=STATE_STYLES.get(state, "")))
    grid.add_row("version", Text(make_safe(health.version or NOTHING)))
    return grid


def shorten(task: str | None) -> str | None:
    """The first line of a task, cut when it is long."""
    if task is None:
        return None
    first, *rest = task.strip().splitlines() or [""]
    return f"{first[:LONGEST_TASK]} ..." if rest or len(first) > LONGEST_TASK else first


def now_utc() -> datetime:
    return datetime.now(UTC)
