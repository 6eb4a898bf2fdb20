"""The records of promotions, and the executions that carry them out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from outpost.domain.errors import OutpostError
from outpost.domain.event import Event
from outpost.domain.promotion import Promotion
from outpost.ports.compute import ExecutionStatus


class PromotionChangedMeanwhile(OutpostError):
    """The record is no longer what the change was decided upon: read it again and decide again."""


@dataclass(frozen=True)
class RequestedPromotion:
    """A promotion that is recorded with its run's end, and the event of it."""

    promotion: Promotion
    event: Event


class Promotions(Protocol):
    """The records, one for a run."""

    def get(self, tenant_id: str, run_id: str) -> Promotion | None:
        """The promotion as it is now."""
        ...

    def create(self, promotion: Promotion, event: Event) -> None:
        """Record a new one. Raises PromotionChangedMeanwhile where the run has one already."""
        ...

    def save(self, before: Promotion, after: Promotion, event: Event | None) -> Promotion:
        """Write a change that was decided upon `before`. Raises PromotionChangedMeanwhile."""
        ...

    def due(self, at: datetime, limit: int) -> tuple[tuple[str, str], ...]:
        """(tenant id, run id) of promotions that have not ended and are due for a look; may lag behind."""
        ...


class PromotionExecutions(Protocol):
    """The executions of promotions, named by run id and attempt."""

    def start(self, promotion: Promotion, bootstrap_token: str) -> None:
        """Start the execution; again with the same input changes nothing."""
        ...

    def stop(self, promotion: Promotion, *, error: str, cause: str) -> None:
        """Stop the execution and its task; one that has ended, or was never started, is fine."""
        ...

    def status(self, promotion: Promotion) -> ExecutionStatus | None:
        """The execution's status, None if it was never started."""
        ...
