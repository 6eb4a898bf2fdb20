"""Every GET of a tenant's own things."""

from outpost.api.application import Application, Reply
from outpost.api.bodies import ArtifactsQuery, LogsQuery, NoQuery, RunsQuery
from outpost.api.pages import list_logs, list_runs
from outpost.api.request import Request
from outpost.api.results import artifacts_reply, patch_reply
from outpost.api.views import explanation_view, fleet_view, run_view
from outpost.domain.explain import explain
from outpost.use_cases.find_results import read_task, require_run
from outpost.wiring import Wiring

LAST_LINES = 10

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
    return Reply(run_view(run, read_task(run, files=wiring.files, clock=wiring.clock)))


@app.route("GET", "/runs/{id}/logs")
def get_logs(request: Request) -> Reply:
    """Lines of a run's output."""
    return list_logs(request.caller, request.id, request.query(LogsQuery), wiring)


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
    run = require_run(request.caller.tenant_id, request.id, runs=wiring.runs)
    lines = wiring.agent_logs.tail(run.agent, run.task_arn, limit=LAST_LINES) if run.task_arn else ()
    return Reply(explanation_view(run, explain(run, wiring.clock.now()), lines))


@app.route("GET", "/fleet")
def get_fleet(request: Request) -> Reply:
    """The agents that can be asked for."""
    request.query(NoQuery)
    return Reply(fleet_view())
