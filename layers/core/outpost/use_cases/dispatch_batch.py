"""Accepts a batch: a run for each of its agents, under one id."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from outpost.domain.batch import Batch, BatchEntry
from outpost.domain.errors import Refusal
from outpost.ports import Batches
from outpost.use_cases.dispatch_run import PREVIEW_CHARACTERS, Dispatch, Dispatched


@dataclass(frozen=True)
class Entered:
    """What became of one entry: its run, or the refusal of it."""

    dispatch: Dispatch
    dispatched: Dispatched | None
    refusal: Refusal | None


@dataclass(frozen=True)
class DispatchedBatch:
    """A batch with its runs, and whether an earlier request had made it."""

    batch: Batch
    entered: tuple[Entered, ...]
    is_replay: bool


def dispatch_batch(
    tenant_id: str,
    batch_id: str,
    dispatches: Sequence[Dispatch],
    at: datetime,
    *,
    dispatch_one: Callable[[Dispatch], Dispatched],
    describe: Callable[[Refusal], tuple[str, str]],
    batches: Batches,
) -> DispatchedBatch:
    """The batch. The first refusal is the batch's own, for nothing has been made then; later ones are its entries'.

    An idempotency key gives each entry its own, so that a batch that was cut short is completed by the same request.
    Each entry is recorded as soon as it is known: what was accepted before a failure is still of the batch.
    """
    first = dispatch_one(replace(dispatches[0], batch_id=batch_id))
    batch_id = first.run.batch_id or batch_id
    batch = batches.get(tenant_id, batch_id) if first.is_replay else None
    if batch is None:
        created_at = first.run.created_at if first.is_replay else at
        entries = tuple(BatchEntry(wanted.agent, wanted.model_id) for wanted in dispatches)
        batch = Batch(tenant_id, batch_id, created_at, dispatches[0].task[:PREVIEW_CHARACTERS], entries)
    entered: list[Entered] = []
    for place, wanted in enumerate(dispatches):
        known = Entered(wanted, first, None)
        entered.append(_enter(replace(wanted, batch_id=batch_id), dispatch_one) if place else known)
        batch = batch.with_entry(place, _entry(entered[-1], describe))
        batches.put(batch)
    return DispatchedBatch(batch, tuple(entered), first.is_replay)


def _enter(wanted: Dispatch, dispatch_one: Callable[[Dispatch], Dispatched]) -> Entered:
    try:
        return Entered(wanted, dispatch_one(wanted), None)
    except Refusal as refusal:
        return Entered(wanted, None, refusal)


def _entry(one: Entered, describe: Callable[[Refusal], tuple[str, str]]) -> BatchEntry:
    if one.dispatched is not None:
        return BatchEntry(one.dispatch.agent, one.dispatch.model_id, one.dispatched.run.run_id)
    code, message = describe(one.refusal) if one.refusal is not None else ("", "")
    return BatchEntry(one.dispatch.agent, one.dispatch.model_id, None, code, message)
