"""What a promotion's task may ask for: the work and the right to push it, once; and to tell how it ended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from outpost.domain.errors import ClaimRefused, OutpostError, PatchNotFound, PromotionNotFound
from outpost.domain.git import is_on_host
from outpost.domain.promotion import TASK_SECONDS, Promotion, PromotionError, PromotionErrorCode, PromotionReport
from outpost.domain.report import Artifact
from outpost.domain.repositories import may_use
from outpost.domain.run import Run
from outpost.domain.tenant import Tenant, TenantStatus
from outpost.domain.token import Purpose, sign
from outpost.ports import (
    Accounts,
    Clock,
    Deployments,
    Files,
    GitHubApp,
    Identifiers,
    PresignedUrl,
    Promotions,
    Runs,
    SigningKey,
    TenantSecrets,
    Vault,
)
from outpost.use_cases.change_promotion import change_promotion
from outpost.use_cases.claim_run import RunnerIdentity
from outpost.use_cases.find_push_token import find_push_token
from outpost.use_cases.find_results import find_patch, read_task

SESSION_VALIDITY = timedelta(seconds=2 * TASK_SECONDS)
DOWNLOAD_SECONDS = 900
PATCH_GONE = PromotionError.of(PromotionErrorCode.NOT_PROMOTABLE, "The run's patch is not kept any more.")


class PromotionForbidden(OutpostError):
    """The promotion may not be carried out any more."""

    def __init__(self, code: PromotionErrorCode, message: str) -> None:
        super().__init__(message)
        self.error = PromotionError.of(code, message)


@dataclass(frozen=True)
class ClaimedPromotion:
    """What the task gets: the run whose work it is, where the patch lies, and a token that may push."""

    promotion: Promotion
    run: Run
    task: str | None
    patch: Artifact
    patch_url: PresignedUrl = field(repr=False)
    git_token: str | None = field(repr=False)
    session_token: str = field(repr=False)


def claim_promotion(
    bearer: RunnerIdentity,
    *,
    claim_id: str,
    task_arn: str | None,
    git_base_url: str,
    runs: Runs,
    promotions: Promotions,
    files: Files,
    accounts: Accounts,
    deployments: Deployments,
    secrets: TenantSecrets,
    vault: Vault,
    github_app: GitHubApp,
    signing_key: SigningKey,
    clock: Clock,
    identifiers: Identifiers,
) -> ClaimedPromotion:
    """The promotion, now RUNNING in this task's hands; the same claim again gives the same. Raises ClaimRefused.

    All that it gets is found before the record is written: a look-up that fails costs no attempt. Where it may not be
    carried out any more, the promotion has failed for that reason.
    """

    def change(decide: Callable[[Promotion], Promotion]) -> Promotion:
        return change_promotion(
            bearer.tenant_id, bearer.run_id, decide, promotions=promotions, clock=clock, identifiers=identifiers
        )

    def claimed(found: Promotion) -> Promotion:
        return found.claimed(bearer.attempt, claim_id=claim_id, task_arn=task_arn, at=clock.now())

    known = promotions.get(bearer.tenant_id, bearer.run_id)
    if known is None:
        raise PromotionNotFound(bearer.run_id)
    claimed(known)
    try:
        run, patch = find_patch(bearer.tenant_id, bearer.run_id, runs=runs, clock=clock)
        tenant = _require_leave(run, git_base_url, accounts, deployments)
    except (PatchNotFound, PromotionForbidden) as refusal:
        error = refusal.error if isinstance(refusal, PromotionForbidden) else PATCH_GONE
        change(lambda found: found.given_up(bearer.attempt, error, clock.now()))
        raise ClaimRefused(error.message) from refusal
    repo = run.repo or ""
    token = None
    if is_on_host(repo, git_base_url):
        token = find_push_token(tenant, repo, secrets=secrets, vault=vault, github_app=github_app)
    now = clock.now()
    task = read_task(run, files=files, clock=clock)
    patch_url = files.presign_download(run.tenant_id, run.run_id, patch, at=now, seconds=DOWNLOAD_SECONDS)
    promotion = change(claimed)
    return ClaimedPromotion(
        promotion=promotion,
        run=run,
        task=task,
        patch=patch,
        patch_url=patch_url,
        git_token=token,
        session_token=_session_token(promotion, signing_key, clock.now()),
    )


def complete_promotion(
    bearer: RunnerIdentity,
    report: PromotionReport,
    *,
    promotions: Promotions,
    clock: Clock,
    identifiers: Identifiers,
) -> Promotion:
    """The promotion at its end; again changes nothing. Raises ClaimRefused."""
    return change_promotion(
        bearer.tenant_id,
        bearer.run_id,
        lambda found: found.reported(bearer.attempt, report, clock.now()),
        promotions=promotions,
        clock=clock,
        identifiers=identifiers,
    )


def _require_leave(run: Run, git_base_url: str, accounts: Accounts, deployments: Deployments) -> Tenant:
    """Whoever may not have work done may not have it promoted, wherever it was asked for. Raises PromotionForbidden."""
    tenant = accounts.get(run.tenant_id)
    if tenant is None or tenant.status is not TenantStatus.ACTIVE:
        raise PromotionForbidden(PromotionErrorCode.TENANT_SUSPENDED, "The tenant is suspended.")
    if tenant.kill_switch is not None or deployments.get().kill_switch is not None:
        raise PromotionForbidden(PromotionErrorCode.KILL_SWITCH_ON, "A kill switch is on: no work begins.")
    plan = tenant.plan
    if not may_use(
        run.repo, allowed=plan.allowed_repositories, denied=plan.denied_repositories, git_base_url=git_base_url
    ):
        raise PromotionForbidden(PromotionErrorCode.POLICY_DENIED, "The plan does not allow this repository any more.")
    return tenant


def _session_token(promotion: Promotion, signing_key: SigningKey, now: datetime) -> str:
    return sign(
        signing_key.value(),
        Purpose.PROMOTION_SESSION,
        {
            "tenant": promotion.tenant_id,
            "run": promotion.run_id,
            "attempt": promotion.attempt,
            "exp": int((now + SESSION_VALIDITY).timestamp()),
        },
    )
