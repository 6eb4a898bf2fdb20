"""Every GET of a tenant's own things."""

from outpost.api.account_bodies import KeysQuery
from outpost.api.account_views import key_view, kill_switch_view, whoami_view
from outpost.api.application import Application, Reply
from outpost.api.batches import show_batch_reply
from outpost.api.event_stream import events_reply
from outpost.api.explain import explanation_reply
from outpost.api.fleet import fleet_view
from outpost.api.pages import list_keys, list_logs, list_runs, list_secrets
from outpost.api.promotions import promotion_reply, promotion_view
from outpost.api.queries import ArtifactsQuery, LogsQuery, NoQuery, RunsQuery, WorkspacesQuery
from outpost.api.request import Request
from outpost.api.results import artifacts_reply, patch_reply
from outpost.api.secret_bodies import SecretsQuery
from outpost.api.views import run_view
from outpost.api.workspaces import list_workspaces, workspace_view
from outpost.use_cases.delete_workspace import require_workspace
from outpost.use_cases.find_results import read_task, require_run
from outpost.use_cases.rotate_key import require_key
from outpost.wiring import Wiring

wiring = Wiring.from_environment()
app = Application(wiring)
handler = app.handler


@app.route("GET", "/runs")
def get_runs(request: Request) -> Reply:
    """A page of the tenant's runs, newest first."""
    return list_runs(request.caller, request.query(RunsQuery), wiring)


@app.route("GET", "/runs/{id}")
@app.route("GET", "/dispatch/{id}")
def get_run(request: Request) -> Reply:
    """One run."""
    request.query(NoQuery)
    run = require_run(request.caller.tenant_id, request.id, runs=wiring.runs)
    queue = wiring.queue.order(run.tenant_id) if run.is_queued else ()
    task = read_task(run, files=wiring.files, clock=wiring.clock)
    promotion = wiring.promotions.get(run.tenant_id, run.run_id) if run.has_work else None
    shown = promotion_view(promotion) if promotion else None
    return Reply(run_view(run, wiring.clock.now(), task, queue=queue, promotion=shown))


@app.route("GET", "/runs/{id}/logs")
def get_logs(request: Request) -> Reply:
    """Lines of a run's output."""
    return list_logs(request.caller, request.id, request.query(LogsQuery), wiring)


@app.route("GET", "/runs/{id}/events")
def get_events(request: Request) -> Reply:
    """A run's events: a page of them, or everything as it happens."""
    return events_reply(request, wiring)


@app.route("GET", "/runs/{id}/patch")
def get_patch(request: Request) -> Reply:
    """A run's work as a diff."""
    request.query(NoQuery)
    return patch_reply(request.caller, request.id, request.header("Accept") or "*/*", wiring)


@app.route("GET", "/runs/{id}/artifacts")
@app.route("GET", "/artifacts/{id}")
def get_artifacts(request: Request) -> Reply:
    """A run's stored files."""
    return artifacts_reply(request.caller, request.id, request.query(ArtifactsQuery), wiring)


@app.route("GET", "/runs/{id}/explain")
def get_explanation(request: Request) -> Reply:
    """Why a run is where it is, and what to do."""
    request.query(NoQuery)
    return explanation_reply(request.tenant, request.id, wiring)


@app.route("GET", "/runs/{id}/promotion")
def get_promotion(request: Request) -> Reply:
    """What became of a run's promotion."""
    request.query(NoQuery)
    return promotion_reply(request.caller, request.id, wiring)


@app.route("GET", "/batches/{id}")
def get_batch(request: Request) -> Reply:
    """The runs of a batch, to be compared."""
    request.query(NoQuery)
    return show_batch_reply(request.caller, request.id, wiring)


@app.route("GET", "/workspaces")
def get_workspaces(request: Request) -> Reply:
    """A page of the tenant's persistent workspaces, newest first."""
    return list_workspaces(request.caller, request.query(WorkspacesQuery), wiring)


@app.route("GET", "/workspaces/{id}")
def get_workspace(request: Request) -> Reply:
    """One workspace."""
    request.query(NoQuery)
    found = require_workspace(request.caller.tenant_id, request.id, workspaces=wiring.workspaces)
    return Reply(workspace_view(found))


@app.route("GET", "/fleet")
def get_fleet(request: Request) -> Reply:
    """The agents that can be asked for."""
    request.query(NoQuery)
    return Reply(fleet_view(wiring.deployments.get(), wiring.clock.now()))


@app.route("GET", "/auth/whoami")
def get_whoami(request: Request) -> Reply:
    """Who calls, with what, and under which plan."""
    request.query(NoQuery)
    return Reply(whoami_view(request.caller, request.tenant))


@app.route("GET", "/keys")
def get_keys(request: Request) -> Reply:
    """A page of the tenant's keys, newest first."""
    return list_keys(request.caller, request.query(KeysQuery), wiring)


@app.route("GET", "/keys/{id}")
def get_key(request: Request) -> Reply:
    """One key, without its secret."""
    request.query(NoQuery)
    return Reply(key_view(require_key(request.caller.tenant_id, request.id, keyring=wiring.keyring)))


@app.route("GET", "/secrets")
def get_secrets(request: Request) -> Reply:
    """A page of the tenant's secrets, without their values."""
    return list_secrets(request.caller, request.query(SecretsQuery), wiring)


@app.route("GET", "/kill-switch")
def get_kill_switch(request: Request) -> Reply:
    """The tenant's kill switch."""
    request.query(NoQuery)
    return Reply(kill_switch_view(request.tenant.kill_switch))
