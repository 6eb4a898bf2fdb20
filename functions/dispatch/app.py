"""POST /dispatch, and the two ways to cancel."""

from outpost.api.application import Application, Reply
from outpost.api.bodies import CancelBody, DispatchBody, NoQuery
from outpost.api.dispatch import dispatched_reply, read_dispatch
from outpost.api.request import Request
from outpost.api.views import cancelled_view
from outpost.use_cases.cancel_run import cancel_run
from outpost.use_cases.dispatch_run import dispatch_run
from outpost.wiring import Wiring

wiring = Wiring.from_environment()
app = Application(wiring)
handler = app.handler


@app.route("POST", "/dispatch")
def post_dispatch(request: Request) -> Reply:
    """Start a run, or answer with the one that the idempotency key has started before."""
    request.query(NoQuery)
    dispatched = dispatch_run(
        request.caller,
        read_dispatch(request, request.body(DispatchBody), wiring.settings.git_base_url),
        request.access.terms,
        runs=wiring.runs,
        accounts=wiring.accounts,
        secrets=wiring.tenant_secrets,
        api_keys=wiring.api_keys,
        full_tenants=wiring.full_tenants,
        files=wiring.files,
        executions=wiring.executions,
        signing_key=wiring.signing_key,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    return dispatched_reply(dispatched, request.api_url, wiring)


@app.route("POST", "/runs/{id}/cancel")
@app.route("DELETE", "/dispatch/{id}")
def post_cancel(request: Request) -> Reply:
    """Ask for a run's end."""
    request.query(NoQuery)
    run = cancel_run(
        request.caller.tenant_id,
        request.id,
        request.body(CancelBody).reason,
        runs=wiring.runs,
        executions=wiring.executions,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    return Reply(cancelled_view(run), status=202)
