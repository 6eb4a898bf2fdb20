"""How the runs of a batch compare, for a person. Every text of theirs is made safe first."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from outpost_cli.amounts import format_money
from outpost_cli.durations import format_local_moment
from outpost_cli.models.batch import Batch, BatchRun
from outpost_cli.output import make_safe, style_status
from outpost_cli.run_views import shorten
from outpost_cli.views import NOTHING, make_cell, make_table, render_facts


def render_batch(batch: Batch) -> RenderableType:
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
    return Group(facts, Text(), render_batch_runs(batch), *([Text(), *errors] if errors else []))


def render_batch_runs(batch: Batch) -> Table:
    table = make_table(
        *("RUN", "AGENT", "MODEL", "STATUS", "CHECK", "FILES", "+/-", "MINUTES", "TOKENS", "COST"), whole=1
    )
    for run in batch.runs:
        table.add_row(
            make_cell(run.run_id or NOTHING),
            make_cell(run.agent),
            make_cell(run.model_id or NOTHING),
            make_cell(Text("REFUSED", style="red") if run.status is None else style_status(run.status)),
            make_cell(format_verdict(run.has_passed_check)),
            make_cell(format_number(run.files_changed)),
            make_cell(format_changes(run)),
            make_cell(NOTHING if run.seconds is None else f"{run.seconds / 60:.1f}"),
            make_cell(format_number(run.tokens)),
            make_cell(NOTHING if run.total_cost_usd is None else format_money(run.total_cost_usd)),
        )
    return table


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
