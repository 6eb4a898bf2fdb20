"""Defects put into the queue, one at a time: what the tables would let pass, and what the use cases would forget."""

from dataclasses import replace
from typing import Any

import pytest
from fake_runs import InMemoryQueue, InMemoryRuns

from outpost.domain.run import Run, RunStatus
from outpost.ports import Admission
from outpost.use_cases import look_after_run, sweep_runs


def a_slot_is_freed_twice(patch: pytest.MonkeyPatch) -> None:
    """The end of a run takes two slots off the counters."""
    _count_otherwise(patch, lambda active, queued: (2 * active if active < 0 else active, queued))


def a_cancel_keeps_its_place(patch: pytest.MonkeyPatch) -> None:
    """A run that is cancelled while it waits stays counted among those that wait."""
    _count_otherwise(patch, lambda active, queued: (active, 0 if (active, queued) == (0, -1) else queued))


def _count_otherwise(patch: pytest.MonkeyPatch, otherwise: Any) -> None:
    count = InMemoryRuns._count

    def mutant(self: InMemoryRuns, tenant_id: str, active: int, queued: int, **rest: Any) -> None:
        count(self, tenant_id, *otherwise(active, queued), **rest)

    patch.setattr(InMemoryRuns, "_count", mutant)


def a_release_takes_no_slot_of_the_deployment(patch: pytest.MonkeyPatch) -> None:
    """A run that gets its slot counts against its tenant only."""
    count = InMemoryRuns._count

    def mutant(self: InMemoryRuns, tenant_id: str, active: int, queued: int, **rest: Any) -> None:
        shared = self.deployment
        count(self, tenant_id, active, queued, **rest)
        if (active, queued) == (1, -1):
            self.deployment = shared

    patch.setattr(InMemoryRuns, "_count", mutant)


def a_run_is_settled_twice(patch: pytest.MonkeyPatch) -> None:
    """What was reserved is given back twice."""
    settle = InMemoryRuns._settle

    def mutant(self: InMemoryRuns, run: Run) -> None:
        settle(self, run)
        settle(self, run)

    patch.setattr(InMemoryRuns, "_settle", mutant)


def a_cancel_in_the_queue_is_not_settled(patch: pytest.MonkeyPatch) -> None:
    """A run that never got a slot keeps its reservation."""
    settle = InMemoryRuns._settle

    def mutant(self: InMemoryRuns, run: Run) -> None:
        if run.started_at is not None:
            settle(self, run)

    patch.setattr(InMemoryRuns, "_settle", mutant)


def a_release_ignores_the_kill_switch(patch: pytest.MonkeyPatch) -> None:
    """A waiting run gets a slot while a switch is on."""
    _allow(patch, lambda before, after: before.is_queued and after.holds_slot)


def a_claim_ignores_the_kill_switch(patch: pytest.MonkeyPatch) -> None:
    """A runner gets its run while a switch is on."""
    _allow(patch, lambda _, after: after.status is RunStatus.RUNNING)


def _allow(patch: pytest.MonkeyPatch, is_allowed: Any) -> None:
    require = InMemoryRuns._require_leave

    def mutant(self: InMemoryRuns, before: Run, after: Run) -> None:
        if not is_allowed(before, after):
            require(self, before, after)

    patch.setattr(InMemoryRuns, "_require_leave", mutant)


def the_sweep_does_not_tell_again(patch: pytest.MonkeyPatch) -> None:
    """An execution that was not told of its slot at once is never told."""
    patch.setattr(look_after_run, "tell_released", lambda *_: None)


def the_sweep_hands_nothing_out(patch: pytest.MonkeyPatch) -> None:
    """A slot that is not handed on at once is never handed on."""
    patch.setattr(sweep_runs, "hand_out_slots", lambda *_: 0)


def the_oldest_comes_first(patch: pytest.MonkeyPatch) -> None:
    """The queue forgets about priorities."""

    def mutant(self: InMemoryQueue, tenant_id: str) -> tuple[str, ...]:
        return tuple(sorted(run.run_id for run in self.runs.records.values() if run.is_queued))

    patch.setattr(InMemoryQueue, "order", mutant)


def a_new_run_overtakes(patch: pytest.MonkeyPatch) -> None:
    """A run that is dispatched while a slot is free takes it, whoever waits for it."""
    create = InMemoryRuns.create

    def mutant(self: InMemoryRuns, run: Run, event: Any, admission: Admission) -> None:
        tenants = self.tenants
        self.tenants = {name: replace(tenant, queued_runs=0) for name, tenant in tenants.items()}
        try:
            create(self, run, event, admission)
        finally:
            waiting = {name: tenant.queued_runs for name, tenant in tenants.items()}
            self.tenants = {
                name: replace(tenant, queued_runs=tenant.queued_runs + waiting[name])
                for name, tenant in self.tenants.items()
            }

    patch.setattr(InMemoryRuns, "create", mutant)
