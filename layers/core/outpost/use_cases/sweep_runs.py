"""The minute's round over what no event has moved: runs that are due, compute without a run, slots, counters."""

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

from outpost.domain.deployment import BreakerState
from outpost.domain.errors import OutpostError, Unavailable
from outpost.domain.outcome import TaskState
from outpost.domain.run import ACTIVE_SHARDS, QUEUED_SHARDS
from outpost.ports import AliveTasks, RunChangedMeanwhile
from outpost.use_cases.hand_out_slots import hand_out_slots
from outpost.use_cases.look_after_run import Deed, Sweeper, Switches, look_after_run

logger = logging.getLogger(__name__)

RUNS_PER_SHARD = 40
SLOTS_EVERY_MINUTES = 10


def sweep_runs(sweeper: Sweeper) -> Counter[Deed]:
    """One bounded round over what is due; how often each deed was done. One's trouble does not stop the others."""
    now = sweeper.clock.now()
    alive, switches = _alive(sweeper), Switches(sweeper.deployments, sweeper.accounts)
    deeds: Counter[Deed] = Counter()
    for shard in (*ACTIVE_SHARDS, *QUEUED_SHARDS):
        for tenant_id, run_id in sweeper.runs.due(shard, now, RUNS_PER_SHARD):
            deeds[_guarded(run_id, partial(look_after_run, sweeper, switches, tenant_id, run_id, alive))] += 1
            # Also where it failed: what fails for good is not to keep its shard's others from their turn.
            _guarded(run_id, partial(_postpone, sweeper, tenant_id, run_id))
    for task in alive.tasks:
        deeds[_guarded(task.run_id, partial(_stop_orphan, sweeper, task))] += 1
    if now.minute % SLOTS_EVERY_MINUTES == 0:
        deeds += _correct_slots(sweeper, now)
    deeds[Deed.SLOTS_GIVEN] += _give_slots(sweeper)
    breakers = sweeper.deployments.get().breakers.values()
    deeds[Deed.BREAKER_SEEN_OPEN] = sum(breaker.state(now) is not BreakerState.CLOSED for breaker in breakers)
    return deeds


def _give_slots(sweeper: Sweeper) -> int:
    try:
        return hand_out_slots(sweeper.giver)
    except OutpostError:
        logger.exception("slots were not handed out; the next round does it")
        return 0


def _correct_slots(sweeper: Sweeper, now: datetime) -> Counter[Deed]:
    """A counter that drifts is a defect: it is mended, and said aloud."""
    deeds: Counter[Deed] = Counter()
    for tenant_id in sweeper.slots.holders():
        drift = sweeper.slots.correct(tenant_id, now)
        if drift:
            logger.error("a tenant's slots in use had drifted", extra={"tenantId": tenant_id, "drift": drift})
            deeds[Deed.SLOTS_CORRECTED] += 1
    drift = sweeper.slots.correct_deployment()
    if drift:
        logger.error("the deployment's slots in use had drifted", extra={"drift": drift})
        deeds[Deed.SLOTS_CORRECTED] += 1
    return deeds


def _alive(sweeper: Sweeper) -> AliveTasks:
    try:
        return sweeper.tasks.alive()
    except Unavailable:
        logger.exception("the tasks are not known; nothing is taken for never launched in this round")
        return AliveTasks((), is_complete=False)


def _guarded(run_id: str, do: Callable[[], Deed]) -> Deed:
    try:
        return do()
    except Exception:
        logger.exception("a run could not be looked after", extra={"run_id": run_id})
        return Deed.FAILED


def _postpone(sweeper: Sweeper, tenant_id: str, run_id: str) -> Deed:
    run = sweeper.runs.get(tenant_id, run_id)
    if run is not None and not run.status.is_terminal:
        with suppress(RunChangedMeanwhile):  # it moves by itself, and its new place in the index says when to look
            sweeper.runs.save(run, run.checked(sweeper.clock.now()), event=None)
    return Deed.NOTHING


def _stop_orphan(sweeper: Sweeper, task: TaskState) -> Deed:
    """A task whose run is over, gone, or at another attempt works for nobody."""
    run = sweeper.runs.get(task.tenant_id, task.run_id)
    if run is not None and not run.status.is_terminal and run.attempt == task.attempt:
        return Deed.NOTHING
    sweeper.tasks.stop(task.task_arn, "No live run has this task.")
    return Deed.ORPHAN_STOPPED
