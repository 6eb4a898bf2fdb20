"""`outpost batch`: one task for several agents, their work compared, and the best of it promoted."""

from typing import Annotated

import typer
from rich.text import Text

from outpost_cli.batch_views import format_batch_activity, render_batch
from outpost_cli.client import OutpostClient
from outpost_cli.commands.arguments import RunArgument
from outpost_cli.commands.promote import (
    WaitForPromotionOption,
    exit_with_promotion,
    tell_where_it_ends,
    wait_for_promotion,
)
from outpost_cli.commands.sending import (
    IdempotencyKeyOption,
    TaskArgument,
    TaskFileOption,
    read_task,
    send_with_key,
)
from outpost_cli.errors import ExitCode, Interrupted, UsageRefused
from outpost_cli.means_options import with_means
from outpost_cli.models.batch import Batch
from outpost_cli.models.means import Budget, Means
from outpost_cli.output import make_safe
from outpost_cli.polling import look_until
from outpost_cli.promotion_options import with_promotion
from outpost_cli.promotion_views import show_promotion
from outpost_cli.session import Session, with_session
from outpost_cli.terms_options import with_terms
from outpost_cli.wishes import Contender, NewBatch, PromotionWish, Terms, make_idempotency_key

batch_app = typer.Typer(no_args_is_help=True, help="Give several agents the same task, compare, and promote one.")
BatchArgument = Annotated[str, typer.Argument(metavar="BATCH", help="A batch id, as `outpost batch create` tells it.")]
FEWEST_AGENTS = 2
MOST_AGENTS = 10


@batch_app.command("create")
@with_session
@with_means
@with_terms
def create_batch(
    session: Session,
    terms: Terms,
    means: Means,
    *,
    task: TaskArgument = None,
    agents: Annotated[
        list[str], typer.Option("--agent", "-a", metavar="AGENT[:MODEL]", help="Who does it; give two to ten.")
    ],
    task_file: TaskFileOption = None,
    repo: Annotated[str | None, typer.Option("--repo", "-r", help="owner/name of the repository to work on.")] = None,
    branch: Annotated[str | None, typer.Option("--branch", "-b", help="The branch to start from.")] = None,
    persistent: Annotated[bool, typer.Option("--persistent", help="Keep each working tree as a workspace.")] = False,
    shared_max_cost_usd: Annotated[
        float | None, typer.Option("--shared-max-cost-usd", metavar="USD", min=0, help="What all may cost together.")
    ] = None,
    shared_max_tokens: Annotated[
        int | None, typer.Option("--shared-max-tokens", metavar="N", min=1, help="How many tokens all may use.")
    ] = None,
    idempotency_key: IdempotencyKeyOption = None,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="Wait for all; the exit code is 10 when none of them COMPLETED.")
    ] = False,
) -> None:
    """Give several agents the same task. A shared budget is split evenly among them.

    Examples:

    outpost batch create "Mend the failing test" --agent claude --agent codex:gpt-5.2-codex --repo example/shop

    outpost batch create - -a claude:fast -a gemini:fast --check "npm test" --shared-max-cost-usd 6 --wait < task.md
    """
    wish = NewBatch(
        task=read_task(task, task_file),
        contenders=parse_contenders(agents),
        repo=repo,
        branch=branch,
        is_persistent=persistent,
        means=means,
        shared_budget=Budget(shared_max_cost_usd, shared_max_tokens),
        idempotency_key=idempotency_key or make_idempotency_key(),
        **terms,
    )
    with session.open_client() as client:
        batch = send_with_key(session, wish.idempotency_key, lambda: client.batches.create_batch(wish))
        if wait:
            session.output.say(f"Dispatched the batch {make_safe(batch.batch_id)}")
            batch = wait_for_batch(session, client, batch.batch_id)
    session.output.show_result(batch.document, render_batch(batch, width=session.output.stdout.width))
    if not (wait or session.output.as_json):
        session.output.say(Text(f"Compare its runs with: outpost batch show {make_safe(batch.batch_id)}", style="dim"))
    if wait and not batch.has_success:
        raise typer.Exit(ExitCode.RUN_FAILED)


@batch_app.command("show")
@with_session
def show_batch(session: Session, batch_id: BatchArgument) -> None:
    """Compare the runs of a batch: status, check, changes, time, tokens, cost.

    Examples:

    outpost batch show 01JZ0000000000000000000003
    """
    with session.open_client() as client:
        batch = client.batches.get_batch(batch_id)
    session.output.show_result(batch.document, render_batch(batch, width=session.output.stdout.width))


@batch_app.command("promote")
@with_session
@with_promotion
def promote_batch(
    session: Session,
    wish: PromotionWish,
    *,
    batch_id: BatchArgument,
    run: RunArgument,
    wait: WaitForPromotionOption = False,
) -> None:
    """Promote one run of a batch, and cancel those that are at work still. In a pipe its URL is alone on stdout.

    With --json and --wait: the promotion after its end.

    Examples:

    outpost batch promote 01JZ0000000000000000000003 01JZ0000000000000000000000 --wait
    """
    output = session.output
    with session.open_client() as client:
        run_id = client.resolve_run_id(run)
        answer = client.batches.promote(batch_id, run_id, wish)
        promotion = wait_for_promotion(client, output, run_id) if wait else answer.promotion
    if output.as_json and not wait:
        output.show_result(answer.document)
        return
    cancelled = [Text(f"Cancelled: {make_safe(', '.join(answer.cancelled))}")] if answer.cancelled else []
    show_promotion(output, promotion, *cancelled)
    if wait:
        exit_with_promotion(promotion)
    tell_where_it_ends(output, promotion)


def parse_contenders(texts: list[str]) -> tuple[Contender, ...]:
    """Of `agent` or `agent:model` each. Raises UsageRefused, also where they are too few or too many."""
    if not FEWEST_AGENTS <= len(texts) <= MOST_AGENTS:
        raise UsageRefused(
            f"A batch has {FEWEST_AGENTS} to {MOST_AGENTS} agents, not {len(texts)}.",
            remedy="Repeat --agent; one agent alone is for `outpost dispatch`.",
        )
    return tuple(parse_contender(text) for text in texts)


def parse_contender(text: str) -> Contender:
    agent, colon, model = text.partition(":")
    if not agent or (colon and not model):
        raise UsageRefused(f"{text!r} is not an agent.", remedy="Write claude, or with a model codex:gpt-5.2-codex.")
    return Contender(agent, model or None)


def wait_for_batch(session: Session, client: OutpostClient, batch_id: str) -> Batch:
    """The batch once all its runs have ended. Ctrl-C leaves them alone and says so."""
    try:
        with session.output.show_activity() as activity:
            return look_until(
                lambda: client.batches.get_batch(batch_id),
                is_over=lambda batch: batch.has_ended,
                on_look=activity.tell_changes(format_batch_activity),
            )
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"The runs of the batch {batch_id} go on without you.",
            remedy=f"`outpost batch show {batch_id}` shows them; `outpost cancel RUN` stops one.",
        ) from error
