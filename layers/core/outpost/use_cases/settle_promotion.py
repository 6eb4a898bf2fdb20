"""Ends a promotion whose task has ended without a word, and looks after those that no event has moved."""

import logging
from dataclasses import dataclass

from outpost.domain.errors import OutpostError
from outpost.domain.promotion import Promotion, PromotionError, PromotionErrorCode, PromotionStatus
from outpost.domain.run_error import without_identifiers
from outpost.ports import (
    Accounts,
    Clock,
    Deployments,
    ExecutionStatus,
    Identifiers,
    PromotionExecutions,
    Promotions,
    SigningKey,
)
from outpost.use_cases.cancel_run import KILL_SWITCH_REASON
from outpost.use_cases.change_promotion import change_promotion
from outpost.use_cases.look_after_run import Switches
from outpost.use_cases.promote_run import start_promotion

logger = logging.getLogger(__name__)

PROMOTIONS = 50


def settle_promotion(
    tenant_id: str,
    run_id: str,
    attempt: int,
    *,
    ran_out_of_time: bool,
    detail: str,
    task_arn: str | None,
    promotions: Promotions,
    clock: Clock,
    identifiers: Identifiers,
) -> Promotion:
    """The promotion, ended where it was not; one that has told its end, or is at another attempt, is left alone.

    So is one that another task than `task_arn` holds, as long as that may yet tell its end.
    """
    code = PromotionErrorCode.PROMOTION_TIMEOUT if ran_out_of_time else PromotionErrorCode.PROMOTION_FAILED
    what = "did not end in time" if ran_out_of_time else "ended without a result"
    error = PromotionError.of(code, without_identifiers(f"The promotion's task {what}. {detail}".strip()))
    return change_promotion(
        tenant_id,
        run_id,
        lambda found: found.abandoned(attempt, error, clock.now(), task_arn=task_arn),
        promotions=promotions,
        clock=clock,
        identifiers=identifiers,
    )


@dataclass(frozen=True)
class PromotionSweeper:
    """The ports that a round needs."""

    promotions: Promotions
    executions: PromotionExecutions
    accounts: Accounts
    deployments: Deployments
    signing_key: SigningKey
    clock: Clock
    identifiers: Identifiers


def sweep_promotions(sweeper: PromotionSweeper) -> int:
    """One bounded round over what is due: start what was not started, end what ended unseen; how many were moved."""
    moved = 0
    switches = Switches(sweeper.deployments, sweeper.accounts)
    for tenant_id, run_id in _due(sweeper):
        try:
            moved += _look_after(sweeper, switches, tenant_id, run_id)
        except Exception:
            logger.exception("a promotion could not be looked after", extra={"run_id": run_id})
    return moved


def _due(sweeper: PromotionSweeper) -> tuple[tuple[str, str], ...]:
    try:
        return sweeper.promotions.due(sweeper.clock.now(), PROMOTIONS)
    except OutpostError:
        logger.exception("the promotions that are due are not known; the next round looks again")
        return ()


def _look_after(sweeper: PromotionSweeper, switches: Switches, tenant_id: str, run_id: str) -> bool:
    promotion = change_promotion(
        tenant_id,
        run_id,
        lambda found: found.checked(sweeper.clock.now()),
        promotions=sweeper.promotions,
        clock=sweeper.clock,
        identifiers=sweeper.identifiers,
    )
    if promotion.status.is_ended:
        return False
    if switches.end_work_of(tenant_id):
        return _give_up(sweeper, promotion)
    status = sweeper.executions.status(promotion)
    if status is None and promotion.status is PromotionStatus.PENDING:
        start_promotion(promotion, executions=sweeper.executions, signing_key=sweeper.signing_key)
        return True
    if status is ExecutionStatus.RUNNING:
        return False
    settled = settle_promotion(
        tenant_id,
        run_id,
        promotion.attempt,
        ran_out_of_time=status is ExecutionStatus.TIMED_OUT,
        detail="",
        task_arn=None,
        promotions=sweeper.promotions,
        clock=sweeper.clock,
        identifiers=sweeper.identifiers,
    )
    return settled.status.is_ended


def _give_up(sweeper: PromotionSweeper, promotion: Promotion) -> bool:
    """Stop it, then say so: while its record has not ended it is looked after again."""
    error = PromotionError.of(PromotionErrorCode.KILL_SWITCH_ON, KILL_SWITCH_REASON)
    sweeper.executions.stop(promotion, error=error.code, cause=error.message)
    change_promotion(
        promotion.tenant_id,
        promotion.run_id,
        lambda found: found.given_up(promotion.attempt, error, sweeper.clock.now()),
        promotions=sweeper.promotions,
        clock=sweeper.clock,
        identifiers=sweeper.identifiers,
    )
    return True
