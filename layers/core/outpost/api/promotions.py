"""Promotions as callers see them, and what passes between their task and the broker."""

from outpost.api.application import Reply
from outpost.api.pull_request import make_body, make_title
from outpost.api.request import Request
from outpost.api.runner import GIT_USERNAME
from outpost.api.runner_bodies import ClaimBody, PromotionCompleteBody
from outpost.api.times import time_text
from outpost.api.views import View
from outpost.domain.api_key import Caller
from outpost.domain.errors import PromotionNotFound
from outpost.domain.git import clone_url, is_on_host, repository_name
from outpost.domain.person import read_person
from outpost.domain.promotion import (
    TASK_SECONDS,
    Conflict,
    Promotion,
    PromotionError,
    PromotionReport,
    PromotionWish,
    PullRequest,
    code_of_promotion_report,
)
from outpost.settings import Settings
from outpost.use_cases.carry_out_promotion import ClaimedPromotion, claim_promotion
from outpost.use_cases.claim_run import RunnerIdentity
from outpost.use_cases.find_results import require_run
from outpost.use_cases.promote_run import promote_run
from outpost.wiring import Wiring

AUTHOR = {"name": "Outpost", "email": "outpost@users.noreply.github.com"}


def promote_with(request: Request, run_id: str, wish: PromotionWish, wiring: Wiring) -> Promotion:
    """Promote on behalf of whoever sent the request. Raises what `promote_run` raises."""
    return promote_run(
        request.caller,
        request.tenant,
        run_id,
        wish,
        api_url=request.api_url,
        git_base_url=wiring.settings.git_base_url,
        runs=wiring.runs,
        promotions=wiring.promotions,
        executions=wiring.promotion_executions,
        deployments=wiring.deployments,
        signing_key=wiring.signing_key,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )


def promotion_reply(caller: Caller, run_id: str, wiring: Wiring) -> Reply:
    """The promotion of a run. Raises RunNotFound, PromotionNotFound."""
    require_run(caller.tenant_id, run_id, runs=wiring.runs)
    promotion = wiring.promotions.get(caller.tenant_id, run_id)
    if promotion is None:
        raise PromotionNotFound(run_id)
    return Reply(promotion_view(promotion))


def promotion_view(promotion: Promotion) -> View:
    """A promotion."""
    report = promotion.report or PromotionReport()
    error, pull = report.error, report.pull_request
    return {
        "runId": promotion.run_id,
        "status": promotion.status,
        "attempt": promotion.attempt,
        "branch": report.branch or promotion.branch,
        "baseBranch": report.base_branch,
        "title": promotion.wish.title,
        "draft": promotion.is_draft,
        "commit": report.commit,
        "pullRequest": None if pull is None else {"number": pull.number, "url": pull.url},
        "compareUrl": report.compare_url,
        "requestedAt": time_text(promotion.requested_at),
        "endedAt": time_text(promotion.ended_at),
        "error": None
        if error is None
        else {"code": error.code, "message": error.message, "remedy": error.remedy, "retryable": error.retryable},
        "conflicts": [{"path": conflict.path, "reason": conflict.reason} for conflict in report.conflicts],
    }


def claimed_promotion_reply(promoter: RunnerIdentity, body: ClaimBody, wiring: Wiring) -> Reply:
    """All that the promotion's task needs, once it has the claim. Raises what `claim_promotion` raises."""
    claimed = claim_promotion(
        promoter,
        claim_id=body.claim_id,
        task_arn=body.task_arn,
        git_base_url=wiring.settings.git_base_url,
        runs=wiring.runs,
        promotions=wiring.promotions,
        files=wiring.files,
        accounts=wiring.accounts,
        deployments=wiring.deployments,
        secrets=wiring.tenant_secrets,
        vault=wiring.vault,
        github_app=wiring.github_app,
        signing_key=wiring.signing_key,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    return Reply(claimed_promotion_view(claimed, wiring.settings))


def claimed_promotion_view(claimed: ClaimedPromotion, settings: Settings) -> View:
    """All that the promotion's task needs."""
    run, promotion = claimed.run, claimed.promotion
    repo = run.repo or ""
    task, token = claimed.task or run.task, claimed.git_token
    co_author = read_person(run.requested_by or "")
    is_github = bool(settings.github_api_url) and is_on_host(repo, settings.git_base_url)
    return {
        "sessionToken": claimed.session_token,
        "deadlineSeconds": TASK_SECONDS,
        "run": {
            "runId": run.run_id,
            "agent": run.agent,
            "modelId": run.model_id,
            "summary": run.result.summary if run.result else None,
        },
        "repo": {"url": clone_url(repo, settings.git_base_url)},
        "baseSha": run.result.base_sha if run.result else None,
        "baseBranch": run.branch,
        "patch": {
            "url": claimed.patch_url.url,
            "sha256": claimed.patch.sha256,
            "sizeBytes": claimed.patch.size_bytes,
        },
        "branch": promotion.branch,
        "title": make_title(promotion.wish, task),
        "body": make_body(promotion.wish, run, task),
        "draft": promotion.wish.draft,
        "author": AUTHOR,
        "coAuthor": None if co_author is None else {"name": co_author.name, "email": co_author.email},
        "trailers": {"Outpost-Run": run.run_id},
        "git": {"username": GIT_USERNAME, "password": token} if token else None,
        "host": {
            "kind": "github" if is_github else "other",
            "apiUrl": settings.github_api_url,
            "repository": repository_name(repo, settings.git_base_url),
        },
    }


def read_promotion_report(body: PromotionCompleteBody) -> PromotionReport:
    """The promotion task's final word; one that failed has an error, whether it says one or not."""
    error = None
    if body.outcome == "failed":
        code = code_of_promotion_report(body.error.code if body.error else "")
        error = PromotionError.of(code, body.error.message if body.error else "No reason was given.")
    pull = body.pull_request
    return PromotionReport(
        branch=body.branch,
        base_branch=body.base_branch,
        commit=body.commit,
        pull_request=None if pull is None else PullRequest(pull.number, pull.url, pull.draft),
        compare_url=body.compare_url,
        error=error,
        conflicts=tuple(Conflict(conflict.path, conflict.reason) for conflict in body.conflicts),
    )
