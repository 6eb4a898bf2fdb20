"""Promotions as callers see them, and what passes between their task and the broker."""

from outpost.api.application import Reply
from outpost.api.request import Request
from outpost.api.runner import GIT_USERNAME
from outpost.api.runner_bodies import PromotionCompleteBody
from outpost.api.times import time_text
from outpost.api.views import View
from outpost.domain.api_key import Caller
from outpost.domain.errors import PromotionNotFound
from outpost.domain.git import clone_url, is_on_host, repository_name
from outpost.domain.money import usd
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
from outpost.domain.run import Run
from outpost.settings import Settings
from outpost.use_cases.carry_out_promotion import ClaimedPromotion
from outpost.use_cases.find_results import require_run
from outpost.use_cases.promote_run import promote_run
from outpost.wiring import Wiring

AUTHOR = {"name": "Outpost", "email": "outpost@users.noreply.github.com"}
TITLE_CHARACTERS = 72
QUOTED_CHARACTERS = 4_000


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
        "draft": promotion.wish.draft,
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


def claimed_promotion_view(claimed: ClaimedPromotion, settings: Settings) -> View:
    """All that the promotion's task needs."""
    run, promotion = claimed.run, claimed.promotion
    repo = run.repo or ""
    token = claimed.git_token
    is_github = bool(settings.git_api_url) and is_on_host(repo, settings.git_base_url)
    return {
        "sessionToken": claimed.session_token,
        "deadlineSeconds": TASK_SECONDS,
        "run": {
            "runId": run.run_id,
            "agent": run.agent,
            "modelId": run.model_id,
            "summary": run.result.summary if run.result else None,
        },
        "repo": {"url": clone_url(repo, settings.git_base_url), "mayRedirect": run.repo_may_redirect},
        "baseSha": run.result.base_sha if run.result else None,
        "baseBranch": run.branch,
        "patch": {
            "url": claimed.patch_url.url,
            "sha256": claimed.patch.sha256,
            "sizeBytes": claimed.patch.size_bytes,
        },
        "branch": promotion.branch,
        "title": promotion.wish.title or _title(claimed.task or run.task),
        "body": _body(claimed),
        "draft": promotion.wish.draft,
        "author": AUTHOR,
        "coAuthor": None,
        "trailers": {"Outpost-Run": run.run_id},
        "git": {"username": GIT_USERNAME, "password": token} if token else None,
        "host": {
            "kind": "github" if is_github else "other",
            "apiUrl": settings.git_api_url,
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
        pull_request=None if pull is None else PullRequest(pull.number, pull.url),
        compare_url=body.compare_url,
        error=error,
        conflicts=tuple(Conflict(conflict.path, conflict.reason) for conflict in body.conflicts),
    )


def _title(task: str) -> str:
    """The task's first line, as far as a title goes."""
    line = next((line for line in task.splitlines() if line.strip()), task).strip()
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1].rstrip() + "…"


def _body(claimed: ClaimedPromotion) -> str:
    """What a reviewer wants to know: what was asked, what came of it, at what price, and where to look."""
    run, wish = claimed.run, claimed.promotion.wish
    if wish.body is not None:
        return f"{wish.body}\n\n{_origin(run)}"
    parts = ["### Task", _quote(claimed.task or run.task)]
    if run.result is not None and run.result.summary:
        parts += ["### What the agent says", _quote(run.result.summary)]
    return "\n\n".join([*parts, "### Run", _numbers(run), _origin(run)])


def _numbers(run: Run) -> str:
    result, cost = run.result, usd(run.cost_microusd(run.ended_at or run.created_at))
    changed = (0, 0, 0) if result is None else (result.files_changed, result.insertions, result.deletions)
    rows = [
        ("Agent", f"{run.agent}, {run.model_id}"),
        ("Changes", f"{changed[0]} files, +{changed[1]} -{changed[2]}"),
        ("Cost", f"${cost:.4f}"),
    ]
    if run.requested_by is not None:
        rows.append(("Requested by", _inline(run.requested_by)))
    if run.report is not None and run.report.check is not None:
        rows.append(("Check", f"{_inline(run.check or '')}: {'passed' if run.report.check.passed else 'failed'}"))
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _origin(run: Run) -> str:
    return f"Made by the run [`{run.run_id}`]({run.api_url}/runs/{run.run_id})."


def _quote(text: str) -> str:
    """In a fence that the text cannot end: nothing in it is a mention, a link or an image."""
    fence = "```"
    while fence in text:
        fence += "`"
    cut = text[:QUOTED_CHARACTERS]
    return f"{fence}text\n{cut}{'' if cut == text else ' …'}\n{fence}"


def _inline(text: str) -> str:
    return "`" + text.replace("`", "'").replace("|", "/").replace("\n", " ")[:200] + "`"
