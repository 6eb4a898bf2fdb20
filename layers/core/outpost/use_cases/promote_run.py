"""Asks for a run's work to become a branch and a pull request: the record first, then its execution."""

import logging
from datetime import timedelta

from outpost.domain.api_key import Caller
from outpost.domain.errors import (
    FieldError,
    InputInvalid,
    KillSwitchOn,
    NothingToPromote,
    OutpostError,
    PatchNotFound,
    PolicyDenied,
    RunNotEnded,
    Unavailable,
)
from outpost.domain.git import is_on_host
from outpost.domain.plan import Plan
from outpost.domain.promotion import TASK_SECONDS, Promotion, PromotionStatus, PromotionWish, new_promotion
from outpost.domain.repositories import may_use
from outpost.domain.run import START_ALLOWANCE_SECONDS, Run
from outpost.domain.tenant import Tenant
from outpost.domain.token import Purpose, sign
from outpost.ports import (
    Clock,
    Deployments,
    Identifiers,
    PromotionChangedMeanwhile,
    PromotionExecutions,
    Promotions,
    Runs,
    SigningKey,
)
from outpost.use_cases.change_promotion import change_promotion, promotion_event
from outpost.use_cases.find_results import find_patch

logger = logging.getLogger(__name__)

# As long as the sweep may take to start what did not start at once, and the task to begin.
BOOTSTRAP_VALIDITY = timedelta(seconds=2 * START_ALLOWANCE_SECONDS + TASK_SECONDS)


def promote_run(
    caller: Caller,
    tenant: Tenant,
    run_id: str,
    wish: PromotionWish,
    *,
    api_url: str,
    git_base_url: str,
    runs: Runs,
    promotions: Promotions,
    executions: PromotionExecutions,
    deployments: Deployments,
    signing_key: SigningKey,
    clock: Clock,
    identifiers: Identifiers,
) -> Promotion:
    """The promotion, on its way; one that is under way or done is given as it is, one that failed is tried again.

    Raises Unavailable, and what `require_promotable` raises.
    """
    run = require_promotable(
        caller, tenant, run_id, wish, git_base_url=git_base_url, runs=runs, deployments=deployments, clock=clock
    )
    now = clock.now()
    made = new_promotion(run.tenant_id, run_id, wish, api_url=api_url, by=caller.key_id, at=now)
    try:
        promotions.create(made, promotion_event(made, clock, identifiers))
        promotion = made
    except PromotionChangedMeanwhile:
        promotion = change_promotion(
            run.tenant_id,
            run_id,
            lambda found: found.asked_again(wish, api_url, caller.key_id, now),
            promotions=promotions,
            clock=clock,
            identifiers=identifiers,
        )
    if promotion.status is PromotionStatus.PENDING:
        start_promotion(promotion, executions=executions, signing_key=signing_key)
    return promotion


def begin_promotion(
    tenant_id: str,
    run_id: str,
    *,
    promotions: Promotions,
    executions: PromotionExecutions,
    signing_key: SigningKey,
) -> None:
    """Start the promotion that was recorded with the run's end; one that has begun is left alone."""
    promotion = promotions.get(tenant_id, run_id)
    if promotion is not None and promotion.status is PromotionStatus.PENDING:
        start_promotion(promotion, executions=executions, signing_key=signing_key)


def start_promotion(promotion: Promotion, *, executions: PromotionExecutions, signing_key: SigningKey) -> None:
    """Start its execution, with an input made of the record alone; what does not start now the sweep starts."""
    token = sign(
        signing_key.value(),
        Purpose.PROMOTION_BOOTSTRAP,
        {
            "tenant": promotion.tenant_id,
            "run": promotion.run_id,
            "attempt": promotion.attempt,
            "exp": int((promotion.requested_at + BOOTSTRAP_VALIDITY).timestamp()),
        },
    )
    try:
        executions.start(promotion, token)
    except OutpostError:
        logger.warning("the promotion did not start; the sweep will start it", extra={"run_id": promotion.run_id})


def require_promotable(
    caller: Caller,
    tenant: Tenant,
    run_id: str,
    wish: PromotionWish,
    *,
    git_base_url: str,
    runs: Runs,
    deployments: Deployments,
    clock: Clock,
) -> Run:
    """The run, which has something to promote that may be promoted so now.

    Raises RunNotFound, RunNotEnded, NothingToPromote, InputInvalid, KillSwitchOn, PlanEnded, PolicyDenied.
    """
    run = _require_work(caller.tenant_id, run_id, git_base_url, runs=runs, clock=clock)
    if wish.branch is not None and wish.branch == run.branch:
        raise InputInvalid((FieldError("branch", "must be another than the one that the work is for"),))
    tenant.plan.require_running(clock.now())
    _require_leave(caller, tenant, run, git_base_url, deployments)
    return run


def _require_work(tenant_id: str, run_id: str, git_base_url: str, *, runs: Runs, clock: Clock) -> Run:
    """The run, ended and with a patch of a repository. Raises RunNotFound, RunNotEnded, NothingToPromote."""
    try:
        run, _ = find_patch(tenant_id, run_id, runs=runs, clock=clock)
    except PatchNotFound as error:
        run = _unpatched(tenant_id, run_id, runs)
        if not run.status.is_terminal:
            raise RunNotEnded(run.status) from error
        raise NothingToPromote("the run has no patch") from error
    if not run.status.is_terminal:
        raise RunNotEnded(run.status)
    if run.repo is None:
        raise NothingToPromote("the run worked on no repository")
    if not is_on_host(run.repo, git_base_url):
        raise NothingToPromote("the repository is on another host than the deployment's, for which there is no token")
    if run.result is None or run.result.base_sha is None:
        raise NothingToPromote("the run began with no commit")
    return run


def _unpatched(tenant_id: str, run_id: str, runs: Runs) -> Run:
    run = runs.get(tenant_id, run_id)
    if run is None:
        raise Unavailable("the run is gone")
    return run


def _require_leave(caller: Caller, tenant: Tenant, run: Run, git_base_url: str, deployments: Deployments) -> None:
    """What would refuse work on the repository today refuses its promotion, too."""
    if deployments.get().kill_switch is not None:
        raise KillSwitchOn(None)
    if tenant.kill_switch is not None:
        raise KillSwitchOn(tenant.kill_switch.reason)
    caller.key.restrictions.require_allowed(run.agent, run.repo, git_base_url=git_base_url)
    if not _may_work_on(tenant.plan, run, git_base_url):
        raise PolicyDenied("repo", "the plan does not allow this repository")


def _may_work_on(plan: Plan, run: Run, git_base_url: str) -> bool:
    return may_use(
        run.repo, allowed=plan.allowed_repositories, denied=plan.denied_repositories, git_base_url=git_base_url
    )
