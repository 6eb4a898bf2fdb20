"""How a promotion looks to a person. Every text of it is made safe first."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from outpost_cli.durations import format_local_moment
from outpost_cli.models.promotion import Conflict, Promotion, PromotionStatus
from outpost_cli.output import Output, make_safe, print_part
from outpost_cli.views import make_cell, make_table, render_error, render_facts

STATUS_STYLES = {
    PromotionStatus.PENDING: "blue",
    PromotionStatus.RUNNING: "cyan",
    PromotionStatus.COMPLETED: "green",
    PromotionStatus.FAILED: "red",
}


def style_promotion(status: PromotionStatus) -> Text:
    return Text(status, style=STATUS_STYLES[status])


def render_promotion(promotion: Promotion) -> RenderableType:
    """The card of a promotion: where the work went, or why it did not."""
    moments = (promotion.requested_at, promotion.ended_at)
    requested, ended = (None if moment is None else format_local_moment(moment) for moment in moments)
    facts = render_facts(
        {
            "Run": Text(make_safe(promotion.run_id)),
            "Promotion": style_promotion(promotion.status),
            "Branch": " onto ".join(filter(None, [promotion.branch, promotion.base_branch])),
            "Title": promotion.title,
            "Draft": "yes" if promotion.is_draft else None,
            "Commit": promotion.commit,
            "Pull request": promotion.pull_request_url,
            "Compare": promotion.compare_url,
            "Attempt": str(promotion.attempt) if (promotion.attempt or 1) > 1 else None,
            "Requested": requested,
            "Ended": ended,
        }
    )
    parts: list[RenderableType] = [facts]
    parts += [Text(), *render_error(promotion.error)] if promotion.error else []
    parts += [Text(), render_conflicts(promotion.conflicts)] if promotion.conflicts else []
    return Group(*parts)


def render_conflicts(conflicts: Iterable[Conflict]) -> Table:
    table = make_table("CONFLICT", "REASON")
    for conflict in conflicts:
        table.add_row(make_cell(conflict.path), make_cell(conflict.reason))
    return table


def format_promotion(promotion: Promotion) -> Text:
    """One line on where a promotion is."""
    line = Text.assemble(make_safe(promotion.run_id), " ", style_promotion(promotion.status))
    if promotion.error is not None:
        return line.append(f" {make_safe(promotion.error.code)}: {make_safe(promotion.error.message)}")
    return line.append(f" {make_safe(promotion.url)}") if promotion.url else line


def show_promotion(output: Output, promotion: Promotion, *about: RenderableType) -> None:
    """A promotion. In a pipe its URL is alone on stdout, so that a program can read it; the rest is beside it."""
    card = render_promotion(promotion)
    if output.as_json or output.stdout.is_terminal:
        output.show_result(promotion.document, card, *about)
        return
    if promotion.url is not None:
        output.show_result(None, Text(make_safe(promotion.url)))
    for part in (card, *about):
        print_part(output.stderr, part)
