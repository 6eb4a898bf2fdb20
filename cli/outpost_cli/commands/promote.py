"""`outpost promote` and `outpost promotion`: a run's work as a branch and a pull request."""

from typing import Annotated

import typer
from rich.text import Text

from outpost_cli.client import OutpostClient
from outpost_cli.commands.arguments import RunArgument
from outpost_cli.errors import ExitCode, Interrupted
from outpost_cli.models.promotion import Promotion, PromotionStatus
from outpost_cli.output import Output, make_safe
from outpost_cli.polling import look_until
from outpost_cli.promotion_options import with_promotion
from outpost_cli.promotion_views import format_promotion, show_promotion
from outpost_cli.session import Session, with_session
from outpost_cli.wishes import PromotionWish

WaitForPromotionOption = Annotated[
    bool, typer.Option("--wait", "-w", help="Wait for its end; the exit code is 10 when it FAILED.")
]


@with_session
@with_promotion
def promote(session: Session, wish: PromotionWish, *, run: RunArgument, wait: WaitForPromotionOption = False) -> None:
    """Push the work of a run as a branch, and open a pull request where the repository's host has them.

    Asked again it is the same promotion; one that failed is tried again. In a pipe the URL is alone on stdout, as soon
    as there is one: that of the pull request, else that of the comparison.

    Examples:

    outpost promote last --wait

    outpost promote 01JZ0000000000000000000000 --branch mend-the-test --title "Mend the test" --ready

    url=$(outpost promote last --draft --wait)
    """
    with session.open_client() as client:
        run_id = client.resolve_run_id(run)
        promotion = client.promotions.promote(run_id, wish)
        if wait:
            promotion = wait_for_promotion(client, session.output, run_id)
    show_promotion(session.output, promotion)
    if wait:
        exit_with_promotion(promotion)
    tell_where_it_ends(session.output, promotion)


@with_session
def show_run_promotion(session: Session, run: RunArgument, wait: WaitForPromotionOption = False) -> None:
    """Show the promotion of a run: its branch and URL, or why it failed, with the files that conflict.

    Examples:

    outpost promotion last

    outpost promotion 01JZ0000000000000000000000 --wait --json
    """
    with session.open_client() as client:
        run_id = client.resolve_run_id(run)
        promotion = (
            wait_for_promotion(client, session.output, run_id) if wait else client.promotions.get_promotion(run_id)
        )
    show_promotion(session.output, promotion)
    if wait:
        exit_with_promotion(promotion)


def wait_for_promotion(client: OutpostClient, output: Output, run_id: str) -> Promotion:
    """The promotion once it has ended. Ctrl-C leaves it alone and says so."""
    try:
        with output.show_activity() as activity:
            return look_until(
                lambda: client.promotions.get_promotion(run_id),
                is_over=lambda promotion: promotion.has_ended,
                on_look=activity.tell_changes(format_promotion),
            )
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"The promotion of {run_id} goes on without you.",
            remedy=f"`outpost promotion {run_id} --wait` waits for it again.",
        ) from error


def tell_where_it_ends(output: Output, promotion: Promotion) -> None:
    """What to do next with a promotion that is under way."""
    if not (promotion.has_ended or output.as_json):
        output.say(Text(f"Wait for its end with: outpost promotion {make_safe(promotion.run_id)} --wait", style="dim"))


def exit_with_promotion(promotion: Promotion) -> None:
    if promotion.status == PromotionStatus.FAILED:
        raise typer.Exit(ExitCode.RUN_FAILED)
