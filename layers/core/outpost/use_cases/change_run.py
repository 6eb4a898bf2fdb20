"""The one way to change a run: read, decide, write if nothing changed meanwhile, else decide again."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from outpost.domain.errors import RunNotFound, Unavailable
from outpost.domain.event import Event, EventType
from outpost.domain.promotion import new_promotion
from outpost.domain.report import Artifact
from outpost.domain.run import Run
from outpost.ports import Clock, Identifiers, RequestedPromotion, RunChangedMeanwhile, Runs
from outpost.use_cases.change_promotion import promotion_event

ATTEMPTS = 8


@dataclass(frozen=True)
class Change:
    """What a decision makes of a run; without an event it is no fact worth keeping (a sign of life)."""

    run: Run
    event_type: EventType | None = None
    details: dict[str, str] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] | None = None


def change_run(
    tenant_id: str,
    run_id: str,
    decide: Callable[[Run], Change],
    *,
    runs: Runs,
    clock: Clock,
    identifiers: Identifiers,
) -> Run:
    """The run after the decision, or as it is where the decision changes nothing. Raises RunNotFound, Unavailable."""
    for _ in range(ATTEMPTS):
        before = runs.get(tenant_id, run_id)
        if before is None:
            raise RunNotFound(run_id)
        change = decide(before)
        if change.run == before:
            return before
        event = _event(before, change, clock, identifiers)
        after = change.run if event is None else replace(change.run, events=before.events + 1)
        try:
            return runs.save(before, after, event, change.artifacts, _promotion(before, after, clock, identifiers))
        except RunChangedMeanwhile:
            continue
    raise Unavailable("the run kept changing")


def _promotion(before: Run, after: Run, clock: Clock, identifiers: Identifiers) -> RequestedPromotion | None:
    """The promotion that was asked for with the run, where the run has just ended well."""
    has_ended = after.status.is_terminal and not before.status.is_terminal
    if not has_ended or after.promote is None or not after.is_worth_promoting:
        return None
    ended_at = after.ended_at or after.status_since
    promotion = new_promotion(
        after.tenant_id, after.run_id, after.promote, api_url=after.api_url, by=after.created_by, at=ended_at
    )
    return RequestedPromotion(promotion, promotion_event(promotion, clock, identifiers))


def _event(before: Run, change: Change, clock: Clock, identifiers: Identifiers) -> Event | None:
    if change.event_type is None:
        return None
    now = clock.now()
    return Event(
        event_id=identifiers.new(now),
        tenant_id=change.run.tenant_id,
        type=change.event_type,
        at=now,
        run_id=change.run.run_id,
        details={"attempt": str(change.run.attempt), **change.details},
        number=before.events + 1,
    )
