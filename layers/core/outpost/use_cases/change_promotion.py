"""The one way to change a promotion: read, decide, write if nothing changed meanwhile, else decide again."""

from collections.abc import Callable

from outpost.domain.errors import PromotionNotFound, Unavailable
from outpost.domain.event import Event, EventType
from outpost.domain.promotion import Promotion, PromotionStatus
from outpost.ports import Clock, Identifiers, PromotionChangedMeanwhile, Promotions

ATTEMPTS = 8

_TYPES = {
    PromotionStatus.PENDING: EventType.PROMOTION_REQUESTED,
    PromotionStatus.RUNNING: EventType.PROMOTION_STARTED,
    PromotionStatus.COMPLETED: EventType.PROMOTION_COMPLETED,
    PromotionStatus.FAILED: EventType.PROMOTION_FAILED,
}


def change_promotion(
    tenant_id: str,
    run_id: str,
    decide: Callable[[Promotion], Promotion],
    *,
    promotions: Promotions,
    clock: Clock,
    identifiers: Identifiers,
) -> Promotion:
    """The promotion after the decision, or as it is where that changes nothing.

    Raises PromotionNotFound, Unavailable.
    """
    for _ in range(ATTEMPTS):
        before = promotions.get(tenant_id, run_id)
        if before is None:
            raise PromotionNotFound(run_id)
        after = decide(before)
        if after == before:
            return before
        event = promotion_event(after, clock, identifiers) if after.status is not before.status else None
        try:
            return promotions.save(before, after, event)
        except PromotionChangedMeanwhile:
            continue
    raise Unavailable("the promotion kept changing")


def promotion_event(promotion: Promotion, clock: Clock, identifiers: Identifiers) -> Event:
    """That the promotion has got its status."""
    now = clock.now()
    details = {"promotionAttempt": str(promotion.attempt), "branch": promotion.branch}
    if promotion.status is PromotionStatus.PENDING:
        details["keyId"] = promotion.requested_by
    report = promotion.report
    if report is not None and report.error is not None:
        details["error"] = report.error.code
    if report is not None and report.pull_request is not None:
        details["pullRequest"] = report.pull_request.url
    return Event(identifiers.new(now), promotion.tenant_id, _TYPES[promotion.status], now, promotion.run_id, details)
