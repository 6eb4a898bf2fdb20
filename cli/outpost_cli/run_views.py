"""How one run looks to a person: its card, and the explanation of it."""

from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from outpost_cli.amounts import format_budget, format_money, format_resources
from outpost_cli.durations import format_duration, format_local_moment
from outpost_cli.models.check import Check
from outpost_cli.models.explanation import Explanation
from outpost_cli.models.run import Run, RunStatus
from outpost_cli.models.usage import RunUsage
from outpost_cli.models.workspace import WorkspaceUse
from outpost_cli.output import make_safe, style_status
from outpost_cli.promotion_views import format_promotion
from outpost_cli.views import format_run_time, format_statistics, render_error, render_facts
from outpost_cli.wishes import PERSISTENT

LONGEST_TASK = 100
RESTORED: dict[bool | None, str] = {True: "restored", False: "not restored"}
SAVED: dict[bool | None, str] = {True: "saved", False: "not saved"}


def render_run(run: Run, *, now: datetime) -> RenderableType:
    """The card of one run: what it is, when what happened, how it ended."""
    parts: list[RenderableType] = [render_run_facts(run), Text(), Text("Timeline", style="bold"), render_timeline(run)]
    if run.error is not None:
        parts += [Text(), *render_error(run.error)]
    if run.result is not None:
        parts += [Text(), Text.assemble(("Result ", "bold"), format_statistics(run.result))]
        parts += render_last_output(run.result.summary) if run.result.summary else []
    if run.check is not None:
        parts += [Text(), *render_check(run.check)]
    if run.notices:
        notices = (Padding(Text(make_safe(notice)), (0, 0, 0, 2)) for notice in run.notices)
        parts += [Text(), Text("Notices", style="bold"), *notices]
    if run.promotion is not None:
        parts += [Text(), Text("Promotion", style="bold"), format_promotion(run.promotion)]
    if run.usage is not None:
        parts += [Text(), Text("Usage", style="bold"), render_usage(run.usage)]
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
    return render_facts(
        {
            "Run": Text(make_safe(run.run_id)),
            "Status": style_status(run.status),
            "Agent": " ".join(filter(None, [run.agent, run.model_id])),
            "Task": shorten(run.task),
            "Repository": " ".join(filter(None, [run.repo, run.branch and f"({run.branch})"])),
            "Tags": " ".join(f"{name}={value}" for name, value in run.tags),
            "Time limit": format_limit(run.timeout_seconds),
            "Resources": format_resources(run.means.resources),
            "Budget": format_budget(run.means.budget),
            "Secrets": ", ".join(run.means.secrets),
            "Context": format_context(run),
            "Workspace": format_workspace(run),
            "Comes after": " ".join(filter(None, [run.parent_run_id, run.parent_kind and f"({run.parent_kind})"])),
            "Batch": run.batch_id,
            "Asked by": run.requested_by,
            "Priority": run.priority,
            "Queue": format_queue(run),
            "Progress": None if run.is_terminal else progress,
            "Attempt": str(run.attempt) if (run.attempt or 1) > 1 else None,
            "Exit code": format_exit_code(run),
        }
    )


def format_context(run: Run) -> str | None:
    """How much of the repository's notes the agent was to have, and below it the files that they came from."""
    files = [f"{each.path}: {each.tokens:,} tokens{', cut' if each.is_cut else ''}" for each in run.context_sources]
    return "\n".join(filter(None, [run.means.context, *files])) or None


def render_check(check: Check) -> list[RenderableType]:
    """The verdict of the caller's own check, with what it printed."""
    seconds = "" if check.seconds is None else f" in {format_duration(timedelta(seconds=check.seconds))}"
    line = Text.assemble(("Check ", "bold"), make_safe(check.command), ": ")
    if check.has_passed is None:
        return [line.append("no verdict yet")]
    if check.has_passed:
        line.append(f"passed{seconds}", style="green")
    elif check.has_timed_out:
        line.append(f"timed out{seconds}", style="red")
    else:
        code = "" if check.exit_code is None else f" with exit code {check.exit_code}"
        line.append(f"failed{code}{seconds}", style="red")
    return [line, *([Padding(Text(make_safe(check.output.rstrip())), (0, 0, 0, 2))] if check.output else [])]


def format_workspace(run: Run) -> str | None:
    """The workspace that is kept, and below it whether it was found and left; None where none is."""
    if run.workspace_mode != PERSISTENT:
        return None
    return "\n".join(filter(None, [run.workspace_id or PERSISTENT, *list_workspace_use(run.workspace_use)]))


def list_workspace_use(use: WorkspaceUse | None) -> list[str | None]:
    """`restored, saved`, and why not."""
    if use is None:
        return []
    restored, saved = RESTORED.get(use.is_restored), SAVED.get(use.is_saved)
    return [", ".join(filter(None, [restored, saved])), use.reason]


def render_usage(usage: RunUsage) -> Table:
    """Tokens, calls and money. An agent without models has only the last."""
    tokens = {
        "input": usage.input_tokens,
        "cached": usage.cached_input_tokens,
        "cache writes": usage.cache_write_tokens,
        "output": usage.output_tokens,
    }
    calls = {"retried": usage.model_retries, "estimated": usage.estimated_calls}
    few = ", ".join(f"{count} {name}" for name, count in calls.items() if count)
    cost = (
        f"{format_money(usage.model_cost_usd)} models + {format_money(usage.compute_cost_usd)} compute"
        f" = {format_money(usage.total_cost_usd)}{', an estimate' if usage.is_estimate else ''}"
    )
    return render_facts(
        {
            "  Tokens": ", ".join(f"{count:,} {name}" for name, count in tokens.items()) if usage.model_calls else None,
            "  Calls": f"{usage.model_calls:,}{f' ({few})' if few else ''}" if usage.model_calls else None,
            "  Cost": cost,
            "  Prices of": usage.price_version,
        }
    )


def format_queue(run: Run) -> str | None:
    """Where a waiting run stands, and how long it waits at most."""
    if run.status != RunStatus.QUEUED:
        return None
    place = f"position {run.queue_position}" if run.queue_position else None
    longest = format_limit(run.queue_timeout_seconds)
    patience = f"waits at most {longest}" if longest else None
    return ", ".join(filter(None, [place, patience]))


def format_limit(seconds: int | None) -> str | None:
    return None if seconds is None else format_duration(timedelta(seconds=seconds))


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


def shorten(task: str | None) -> str | None:
    """The first line of a task, cut when it is long."""
    if task is None:
        return None
    first, *rest = task.strip().splitlines() or [""]
    return f"{first[:LONGEST_TASK]} ..." if rest or len(first) > LONGEST_TASK else first
