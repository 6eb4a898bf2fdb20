"""`outpost dispatch`: sends a task to an agent."""

from typing import Annotated

import typer

from outpost_cli.client import Dispatch
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
from outpost_cli.wishes import PromotionWish, Terms, make_idempotency_key


@with_session
@with_later_promotion
@with_means
@with_terms
def dispatch(
    session: Session,
    terms: Terms,
    means: Means,
    promotion: PromotionWish | None,
    *,
    task: TaskArgument = None,
    agent: Annotated[str, typer.Option("--agent", "-a", help="Who does it; `outpost fleet` lists the agents.")],
    task_file: TaskFileOption = None,
    model: ModelOption = None,
    repo: Annotated[str | None, typer.Option("--repo", "-r", help="owner/name of the repository to work on.")] = None,
    branch: Annotated[str | None, typer.Option("--branch", "-b", help="The branch to start from.")] = None,
    persistent: Annotated[bool, typer.Option("--persistent", help="Keep its working tree as a workspace.")] = False,
    workspace: Annotated[str | None, typer.Option("--workspace", metavar="ID", help="Go on in this workspace.")] = None,
    idempotency_key: IdempotencyKeyOption = None,
    wait: WaitOption = False,
    follow: FollowOption = False,
) -> None:
    """Send a task to an agent.

    Examples:

    outpost dispatch "Mend the failing test" --agent claude --repo example/shop --wait

    outpost dispatch - --agent shell --timeout 10m --follow < script.sh

    outpost dispatch --task-file task.md --agent codex --tag team=web --json

    outpost dispatch "Update the changelog" --agent aider --priority low --queue-timeout 6h

    outpost dispatch "Speed up the build" --agent claude --repo example/shop --max-cost-usd 2 --cpu-units 4096

    outpost dispatch "Mend the failing test" --agent claude --repo example/shop --check "npm test" --promote

    outpost dispatch "Begin the migration" --agent codex --repo example/shop --persistent
    """
    refuse_both(wait=wait, follow=follow)
    request = Dispatch(
        agent=agent,
        task=read_task(task, task_file),
        model_id=model,
        repo=repo,
        branch=branch,
        is_persistent=persistent,
        workspace_id=workspace,
        means=means,
        promotion=promotion,
        idempotency_key=idempotency_key or make_idempotency_key(),
        **terms,
    )
    with session.open_client() as client:
        receipt = send_with_key(session, request.idempotency_key, lambda: client.dispatch(request))
        tell_receipt(session, client, receipt, wait=wait, follow=follow)
