"""From the body of POST /dispatch to a dispatch: the model resolved, the idempotency key agreed upon."""

from outpost.api.bodies import DispatchBody
from outpost.api.request import Request
from outpost.domain.agents import AGENTS
from outpost.domain.errors import FieldError, InputInvalid
from outpost.use_cases.dispatch_run import Dispatch

KEY_CHARACTERS = 128


def read_dispatch(request: Request, body: DispatchBody) -> Dispatch:
    """The dispatch that the request asks for. Raises InputInvalid where body and header disagree on the key."""
    agent = AGENTS[body.agent]
    return Dispatch(
        agent=agent.name,
        model_id=agent.resolve_model(body.model_id) or agent.default_model_id,
        task=body.task,
        timeout_seconds=body.timeout_seconds,
        body_sha256=body.sha256(),
        api_url=request.api_url,
        repo=body.repo,
        branch=body.branch,
        tags=body.tags,
        requested_by=body.user_id,
        idempotency_key=_agreed_key(body.idempotency_key, request.header("Idempotency-Key")),
    )


def _agreed_key(in_body: str | None, in_header: str | None) -> str | None:
    if in_header is not None and not 0 < len(in_header) <= KEY_CHARACTERS:
        raise InputInvalid((FieldError("Idempotency-Key", f"must be 1 to {KEY_CHARACTERS} characters"),))
    if in_body is not None and in_header is not None and in_body != in_header:
        raise InputInvalid((FieldError("idempotencyKey", "differs from the header Idempotency-Key"),))
    return in_body or in_header
