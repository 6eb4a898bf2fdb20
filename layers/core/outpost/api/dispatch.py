"""From the body of POST /dispatch to a dispatch, and from its run to the answer."""

from collections.abc import Sequence

from outpost.api.application import Reply
from outpost.api.bodies import DispatchBody
from outpost.api.request import Request
from outpost.api.views import dispatched_view
from outpost.domain.agents import AGENTS
from outpost.domain.errors import FieldError, InputInvalid, Unavailable
from outpost.domain.money import microusd
from outpost.domain.run import ContextLevel, Priority, Run
from outpost.domain.usage import ModelBudget
from outpost.use_cases.dispatch_run import Dispatch, Dispatched, dispatch_run
from outpost.wiring import Wiring

KEY_CHARACTERS = 128


def read_dispatch(request: Request, body: DispatchBody, git_base_url: str) -> Dispatch:
    """The dispatch that the request asks for. Raises InputInvalid where body and header disagree on the key."""
    agent = AGENTS[body.agent]
    model_id = agent.resolve_model(body.model_id) or agent.default_model_id
    most = body.budget.max_cost_usd
    return Dispatch(
        agent=agent.name,
        model_id=model_id,
        task=body.task,
        timeout_seconds=body.timeout_seconds,
        body_sha256=body.sha256(),
        api_url=request.api_url,
        git_base_url=git_base_url,
        size=body.resources.size(agent.size(model_id)),
        budget=ModelBudget(None if most is None else microusd(most), body.budget.max_tokens),
        context=ContextLevel(body.context) if agent.provider else ContextLevel.OFF,
        secrets=tuple(body.secrets),
        priority=Priority(body.priority),
        queue_timeout_seconds=body.queue_timeout_seconds,
        repo=body.repo,
        branch=body.branch,
        tags=body.tags,
        requested_by=body.user_id,
        workspace_id=body.workspace_id,
        is_persistent=body.workspace_mode == "persistent",
        check=body.check,
        promote=body.promote.wish() if body.promote else None,
        idempotency_key=agreed_key(body.idempotency_key, request.header("Idempotency-Key")),
    )


def dispatch_with(request: Request, dispatch: Dispatch, wiring: Wiring) -> Dispatched:
    """Dispatch on behalf of whoever sent the request. Raises what `dispatch_run` raises."""
    return dispatch_run(
        request.caller,
        dispatch,
        request.access.terms,
        runs=wiring.runs,
        accounts=wiring.accounts,
        secrets=wiring.tenant_secrets,
        workspaces=wiring.workspaces,
        api_keys=wiring.api_keys,
        full_tenants=wiring.full_tenants,
        files=wiring.files,
        executions=wiring.executions,
        signing_key=wiring.signing_key,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )


def dispatched_reply(dispatched: Dispatched, api_url: str, wiring: Wiring) -> Reply:
    """The answer to a dispatch; a run that waits is told its place."""
    run = dispatched.run
    queue = _queue_of(run, wiring)
    headers = {"Location": f"{api_url}/runs/{run.run_id}"}
    if dispatched.is_replay:
        return Reply(dispatched_view(run, queue), headers={**headers, "Idempotent-Replay": "true"})
    return Reply(dispatched_view(run, queue), status=201, headers=headers)


def _queue_of(run: Run, wiring: Wiring) -> Sequence[str]:
    """Who waits, if the run does: what is recorded is answered, also where its place cannot be read now."""
    try:
        return wiring.queue.order(run.tenant_id) if run.is_queued else ()
    except Unavailable:
        return ()


def agreed_key(in_body: str | None, in_header: str | None) -> str | None:
    """The idempotency key, wherever it was sent. Raises InputInvalid where the two disagree."""
    if in_header is not None and not 0 < len(in_header) <= KEY_CHARACTERS:
        raise InputInvalid((FieldError("Idempotency-Key", f"must be 1 to {KEY_CHARACTERS} characters"),))
    if in_body is not None and in_header is not None and in_body != in_header:
        raise InputInvalid((FieldError("idempotencyKey", "differs from the header Idempotency-Key"),))
    return in_body or in_header
