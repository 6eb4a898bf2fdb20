"""How the runs of a batch compare, for a person. Every text of theirs is made safe first."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from outpost_cli.amounts import format_money
from outpost_cli.durations import format_local_moment
from outpost_cli.models.batch import Batch, BatchRun
from outpost_cli.output import make_safe, style_status
from outpost_cli.run_views import shorten
from outpost_cli.views import NOTHING, Column, render_facts, render_rows


def render_batch(batch: Batch, *, width: int) -> RenderableType:
    """The card of a batch: its task, its runs side by side, and why some of them are not well."""
    facts = render_facts(
        {
            "Batch": Text(make_safe(batch.batch_id)),
            "Task": shorten(batch.task),
            "Created": None if batch.created_at is None else format_local_moment(batch.created_at),
            "Promoted": batch.promoted_run_id,
        }
    )
    errors = [format_error(run) for run in batch.runs if run.error is not None]
    return Group(facts, Text(), render_batch_runs(batch, width=width), *([Text(), *errors] if errors else []))


def render_batch_runs(batch: Batch, *, width: int) -> Table:
    """Id and status are always whole."""
    columns: list[Column[BatchRun]] = [
        ("RUN", 0, lambda run: run.run_id or NOTHING),
        ("STATUS", 0, format_status),
        ("AGENT", 50, lambda run: run.agent),
        ("MODEL", 120, lambda run: run.model_id or NOTHING),
        ("CHECK", 60, lambda run: format_verdict(run.has_passed_check)),
        ("FILES", 110, lambda run: format_number(run.files_changed)),
        ("+/-", 70, format_changes),
        ("MINUTES", 90, lambda run: NOTHING if run.seconds is None else f"{run.seconds / 60:.1f}"),
        ("TOKENS", 100, lambda run: format_number(run.tokens)),
        ("COST", 80, lambda run: NOTHING if run.total_cost_usd is None else format_money(run.total_cost_usd)),
    ]
    return render_rows(columns, batch.runs, width=width, whole=2)


def format_status(run: BatchRun) -> Text:
    if run.status is not None:
        return style_status(run.status)
    return Text("REFUSED", style="red") if run.is_refused else Text(NOTHING)


def format_verdict(has_passed: bool | None) -> Text:
    if has_passed is None:
        return Text(NOTHING)
    return Text("passed", style="green") if has_passed else Text("failed", style="red")


def format_changes(run: BatchRun) -> str:
    if run.insertions is None and run.deletions is None:
        return NOTHING
    return f"+{run.insertions or 0}/-{run.deletions or 0}"


def format_number(count: int | None) -> str:
    return NOTHING if count is None else f"{count:,}"


def format_error(run: BatchRun) -> Text:
    who = run.run_id or ":".join(filter(None, [run.agent, run.model_id]))
    error = run.error
    told = "" if error is None else f"{error.code}: {error.message}"
    return Text.assemble((f"{make_safe(who)} ", "bold"), make_safe(told))


def format_batch_activity(batch: Batch) -> Text:
    """One line on how far a batch is."""
    ended = sum(run.has_ended for run in batch.runs)
    return Text(f"{make_safe(batch.batch_id)} {ended} of {len(batch.runs)} ended")
