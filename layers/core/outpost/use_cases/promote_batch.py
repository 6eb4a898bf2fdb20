"""Promotes one run of a batch, and cancels the others."""

from collections.abc import Callable
from dataclasses import dataclass

from outpost.domain.batch import Batch
from outpost.domain.errors import BatchAlreadyPromoted, BatchNotFound, OutpostError, RunNotFound
from outpost.domain.promotion import Promotion
from outpost.domain.run import Run
from outpost.ports import Batches

REASON = "Another run of the batch was promoted."


@dataclass(frozen=True)
class PromotedBatch:
    """The promotion, and the runs that were asked to stop."""

    batch: Batch
    promotion: Promotion
    cancelled: tuple[str, ...]


def require_batch(tenant_id: str, batch_id: str, *, batches: Batches) -> Batch:
    """The batch. Raises BatchNotFound."""
    batch = batches.get(tenant_id, batch_id)
    if batch is None:
        raise BatchNotFound(batch_id)
    return batch


def promote_batch(
    tenant_id: str,
    batch_id: str,
    run_id: str,
    *,
    require: Callable[[str], Run],
    promote: Callable[[str], Promotion],
    cancel: Callable[[str, str], Run],
    batches: Batches,
) -> PromotedBatch:
    """The run on its way to a pull request; again gives the same.

    What `require` refuses of the run leaves the batch as it is: another run of it can still be promoted.
    Raises BatchNotFound, BatchAlreadyPromoted for another run of it, RunNotFound for one that is not of it, and what
    promoting the run refuses.
    """
    batch = require_batch(tenant_id, batch_id, batches=batches)
    run = require(run_id)
    if run.batch_id != batch_id:
        raise RunNotFound(run_id)
    if not batches.note_promotion(tenant_id, batch_id, run_id):
        raise BatchAlreadyPromoted(require_batch(tenant_id, batch_id, batches=batches).promoted_run_id or "")
    promotion = promote(run_id)
    others = [other for other in batch.run_ids if other != run_id]
    return PromotedBatch(batch, promotion, tuple(other for other in others if _cancelled(other, cancel)))


def _cancelled(run_id: str, cancel: Callable[[str, str], Run]) -> bool:
    """Whether it was asked to stop now; one that has ended needs no cancel."""
    try:
        cancel(run_id, REASON)
    except OutpostError:
        return False
    return True
