"""The options that say how a run's work is to become a branch and a pull request: now, or when the run succeeds."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from outpost_cli.errors import UsageRefused
from outpost_cli.session import SharedOption, make_option, with_option_group
from outpost_cli.wishes import PromotionWish

PANEL = "Promotion"

PROMOTION_OPTIONS: dict[str, SharedOption] = {
    "branch": (Annotated[str | None, typer.Option("--branch", "-b", help="The name of the new branch.")], None),
    "title": (Annotated[str | None, typer.Option("--title", help="The title of the pull request.")], None),
    "body": (Annotated[str | None, typer.Option("--body", metavar="TEXT", help="What it says of the work.")], None),
    "draft": (
        Annotated[bool | None, typer.Option("--draft/--ready", help="Whether the pull request is a draft.")],
        None,
    ),
}

PROMOTE_LATER_OPTIONS: dict[str, SharedOption] = {
    "promote": (
        Annotated[
            bool,
            typer.Option(
                "--promote", help="When it succeeds: push its work and open a pull request.", rich_help_panel=PANEL
            ),
        ],
        False,
    ),
    "promote_branch": make_option(PANEL, str, "--promote-branch", "NAME", "The name of the new branch."),
    "promote_title": make_option(PANEL, str, "--promote-title", "TEXT", "The title of the pull request."),
    "promote_draft": (
        Annotated[bool, typer.Option("--promote-draft", help="Open it as a draft.", rich_help_panel=PANEL)],
        False,
    ),
}


def read_promotion(wanted: Mapping[str, Any]) -> PromotionWish:
    return PromotionWish(branch=wanted["branch"], title=wanted["title"], body=wanted["body"], is_draft=wanted["draft"])


def read_later_promotion(wanted: Mapping[str, Any]) -> PromotionWish | None:
    """None where the work is not to be promoted. Raises UsageRefused where only its details are given."""
    wish = PromotionWish(
        branch=wanted["promote_branch"],
        title=wanted["promote_title"],
        is_draft=True if wanted["promote_draft"] else None,
    )
    if wanted["promote"]:
        return wish
    if wish != PromotionWish():
        raise UsageRefused("It is said how to promote the work, but not to do so.", remedy="Add --promote.")
    return None


with_promotion = with_option_group(PROMOTION_OPTIONS, read_promotion)
with_later_promotion = with_option_group(PROMOTE_LATER_OPTIONS, read_later_promotion)
