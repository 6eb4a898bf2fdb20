"""`outpost follow-up` and `outpost rerun`: runs that come after another one."""

from typing import Annotated

import typer

from outpost_cli.commands.arguments import RunArgument
from outpost_cli.commands.sending import (
    FollowOption,
    IdempotencyKeyOption,
    ModelOption,
    TaskArgument,
    TaskFileOption,
    WaitOption,
    read_task,
    refuse_both,
    send_with_key,
    tell_receipt,
)
from outpost_cli.means_options import with_means
from outpost_cli.models.means import Means
from outpost_cli.promotion_options import with_later_promotion
from outpost_cli.session import Session, with_session
from outpost_cli.terms_options import with_terms
from outpost_cli.wishes import PromotionWish, Succession, Terms, make_idempotency_key

AgentOption = Annotated[str | None, typer.Option("--agent", "-a", help="Another agent; that of the run if not given.")]


@with_session
@with_later_promotion
@with_means
@with_terms
def follow_up(
    session: Session,
    terms: Terms,
    means: Means,
    promotion: PromotionWish | None,
    *,
    run: RunArgument,
    task: TaskArgument = None,
    task_file: TaskFileOption = None,
    agent: AgentOption = None,
    model: ModelOption = None,
    idempotency_key: IdempotencyKeyOption = None,
    wait: WaitOption = False,
    follow: FollowOption = False,
) -> None:
    """Give a run that has ended another task: it goes on from what the run left, and is told what that run said of it.

    Examples:

    outpost follow-up last "Now add a test for it" --wait

    outpost follow-up 01JZ0000000000000000000000 --task-file review.md --agent codex --check "npm test"
    """
    refuse_both(wait=wait, follow=follow)
    succession = Succession(
        task=read_task(task, task_file),
        agent=agent,
        model_id=model,
        means=means,
        promotion=promotion,
        idempotency_key=idempotency_key or make_idempotency_key(),
        **terms,
    )
    with session.open_client() as client:
        run_id = client.resolve_run_id(run)
        receipt = send_with_key(session, succession.idempotency_key, lambda: client.follow_up(run_id, succession))
        tell_receipt(session, client, receipt, wait=wait, follow=follow)


@with_session
@with_later_promotion
@with_means
@with_terms
def rerun(
    session: Session,
    terms: Terms,
    means: Means,
    promotion: PromotionWish | None,
    *,
    run: RunArgument,
    task: Annotated[
        str | None, typer.Option("--task", metavar="TASK", help="Another task; `-` reads it from stdin.")
    ] = None,
    task_file: TaskFileOption = None,
    agent: AgentOption = None,
    model: ModelOption = None,
    idempotency_key: IdempotencyKeyOption = None,
    wait: WaitOption = False,
    follow: FollowOption = False,
) -> None:
    """Do the work of a run again, from the same commit. What is given is changed, everything else is as it was.

    Examples:

    outpost rerun last --wait

    outpost rerun 01JZ0000000000000000000000 --agent codex --timeout 1h --max-cost-usd 5
    """
    refuse_both(wait=wait, follow=follow)
    has_task = task is not None or task_file is not None
    changes = Succession(
        task=read_task(task, task_file) if has_task else None,
        agent=agent,
        model_id=model,
        means=means,
        promotion=promotion,
        idempotency_key=idempotency_key or make_idempotency_key(),
        **terms,
    )
    with session.open_client() as client:
        run_id = client.resolve_run_id(run)
        receipt = send_with_key(session, changes.idempotency_key, lambda: client.rerun(run_id, changes))
        tell_receipt(session, client, receipt, wait=wait, follow=follow)
