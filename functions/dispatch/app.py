"""What starts, stops and promotes runs."""

from outpost.api.application import Application, Reply
from outpost.api.batches import batch_reply, promote_batch_reply
from outpost.api.bodies import CancelBody, DispatchBody, PromoteBatchBody, PromoteBody
from outpost.api.dispatch import dispatch_with, dispatched_reply, read_dispatch
from outpost.api.promotions import promote_with, promotion_view
from outpost.api.queries import NoQuery
from outpost.api.repeat import follow_up_reply, rerun_reply
from outpost.api.request import Request
from outpost.api.views import cancelled_view
from outpost.use_cases.cancel_run import cancel_run
from outpost.wiring import Wiring

wiring = Wiring.from_environment()
app = Application(wiring)
handler = app.handler


@app.route("POST", "/dispatch")
def post_dispatch(request: Request) -> Reply:
    """Start a run, or answer with the one that the idempotency key has started before."""
    request.query(NoQuery)
    dispatch = read_dispatch(request, request.body(DispatchBody), wiring.settings.git_base_url)
    return dispatched_reply(dispatch_with(request, dispatch, wiring), request.api_url, wiring)


@app.route("POST", "/runs/{id}/rerun")
def post_rerun(request: Request) -> Reply:
    """Do the same work again."""
    request.query(NoQuery)
    return rerun_reply(request, wiring)


@app.route("POST", "/runs/{id}/follow-up")
def post_follow_up(request: Request) -> Reply:
    """Go on from what a run left."""
    request.query(NoQuery)
    return follow_up_reply(request, wiring)


@app.route("POST", "/runs/{id}/promote")
def post_promote(request: Request) -> Reply:
    """Make a branch and a pull request of a run's work."""
    request.query(NoQuery)
    promotion = promote_with(request, request.id, request.body(PromoteBody).wish(), wiring)
    return Reply(promotion_view(promotion), status=202)


@app.route("POST", "/batches")
def post_batch(request: Request) -> Reply:
    """Give one task to several agents."""
    request.query(NoQuery)
    return batch_reply(request, wiring)


@app.route("POST", "/batches/{id}/promote")
def post_batch_promote(request: Request) -> Reply:
    """Promote one run of a batch, and cancel the others."""
    request.query(NoQuery)
    return promote_batch_reply(request, request.body(PromoteBatchBody), wiring)


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
