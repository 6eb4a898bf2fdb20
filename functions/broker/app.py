"""What a runner may ask for while its run lives, and a promotion's task for its own."""

from outpost.api.application import Application, Reply
from outpost.api.promotions import claimed_promotion_reply, read_promotion_report
from outpost.api.queries import NoQuery
from outpost.api.request import Request
from outpost.api.runner import claimed_view, read_artifact, read_report, read_usage, uploads_view
from outpost.api.runner_bodies import (
    ClaimBody,
    CompleteBody,
    HeartbeatBody,
    PromotionCompleteBody,
    UploadsBody,
)
from outpost.domain.token import Purpose
from outpost.use_cases.carry_out_promotion import complete_promotion
from outpost.use_cases.claim_run import RunnerIdentity, claim_run, identify_runner
from outpost.use_cases.complete_run import complete_run
from outpost.use_cases.grant_uploads import grant_uploads
from outpost.use_cases.record_heartbeat import record_heartbeat
from outpost.wiring import Wiring

wiring = Wiring.from_environment()
app = Application(wiring)
handler = app.handler


def runner_of(request: Request, purpose: Purpose) -> RunnerIdentity:
    """Whose token came with the request."""
    return identify_runner(request.bearer, purpose, signing_key=wiring.signing_key, clock=wiring.clock)


@app.route("POST", "/runner/claim")
def post_claim(request: Request) -> Reply:
    """Hand the run to its runner, once."""
    request.query(NoQuery)
    runner = runner_of(request, Purpose.RUNNER_BOOTSTRAP)
    body = request.body(ClaimBody)
    claimed = claim_run(
        runner,
        claim_id=body.claim_id,
        task_arn=body.task_arn,
        git_base_url=wiring.settings.git_base_url,
        runs=wiring.runs,
        workspaces=wiring.workspaces,
        files=wiring.files,
        secrets=wiring.tenant_secrets,
        vault=wiring.vault,
        signing_key=wiring.signing_key,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    return Reply(claimed_view(claimed, wiring.settings.git_base_url))


@app.route("POST", "/promotion/claim")
def post_promotion_claim(request: Request) -> Reply:
    """Hand a run's work, and the right to push it, to the promotion's task, once."""
    request.query(NoQuery)
    promoter = runner_of(request, Purpose.PROMOTION_BOOTSTRAP)
    return claimed_promotion_reply(promoter, request.body(ClaimBody), wiring)


@app.route("POST", "/promotion/complete")
def post_promotion_complete(request: Request) -> Reply:
    """Take the promotion task's final word."""
    request.query(NoQuery)
    promotion = complete_promotion(
        runner_of(request, Purpose.PROMOTION_SESSION),
        read_promotion_report(request.body(PromotionCompleteBody)),
        promotions=wiring.promotions,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    return Reply({"status": promotion.status})


@app.route("POST", "/runner/heartbeat")
def post_heartbeat(request: Request) -> Reply:
    """Take a sign of life; a refusal tells the runner to stop."""
    request.query(NoQuery)
    runner = runner_of(request, Purpose.RUNNER_SESSION)
    body = request.body(HeartbeatBody)
    run = record_heartbeat(
        runner,
        phase=body.phase,
        message=body.message,
        usage=read_usage(body.usage),
        runs=wiring.runs,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    return Reply({"status": run.status})


@app.route("POST", "/runner/uploads")
def post_uploads(request: Request) -> Reply:
    """Grant one URL for each file."""
    request.query(NoQuery)
    runner = runner_of(request, Purpose.RUNNER_SESSION)
    artifacts = [read_artifact(file, runner.attempt) for file in request.body(UploadsBody).uploads]
    urls = grant_uploads(runner, artifacts, runs=wiring.runs, files=wiring.files, clock=wiring.clock)
    return Reply(uploads_view(artifacts, urls))


@app.route("POST", "/runner/complete")
def post_complete(request: Request) -> Reply:
    """Take the runner's final report."""
    request.query(NoQuery)
    runner = runner_of(request, Purpose.RUNNER_SESSION)
    body = request.body(CompleteBody)
    files = [read_artifact(file, runner.attempt) for file in body.uploads]
    run = complete_run(
        runner,
        read_report(runner.run_id, body, runner.attempt, wiring.clock.now()),
        [file for file in files if not file.is_snapshot],
        runs=wiring.runs,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    return Reply({"status": run.status})
