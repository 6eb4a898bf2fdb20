"""Defects put into what a run's change brings with it, one at a time: the properties see each in the tables."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from outpost.adapters.dynamo_changes import ChangeWrites, Consequence
from outpost.adapters.dynamo_counters import Counters
from outpost.domain.run import Run

from .platform import Platform, open_platform
from .properties import violations
from .scenarios import CANCELLED_IN_THE_QUEUE, QUEUED, Scenario
from .world import play

Mutation = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with open_platform() as opened:
        yield opened


def a_slot_is_freed_twice(patch: pytest.MonkeyPatch) -> None:
    _count_otherwise(patch, lambda active, queued: (2 * active if active < 0 else active, queued))


def a_cancel_keeps_its_place(patch: pytest.MonkeyPatch) -> None:
    _count_otherwise(patch, lambda active, queued: (active, 0 if (active, queued) == (0, -1) else queued))


def _count_otherwise(patch: pytest.MonkeyPatch, otherwise: Callable[[int, int], tuple[int, int]]) -> None:
    tenant = Counters.tenant

    def mutant(self: Counters, tenant_id: str, *, active: int = 0, queued: int = 0, **rest: Any) -> Any:
        active, queued = otherwise(active, queued)
        return tenant(self, tenant_id, active=active, queued=queued, **rest)

    patch.setattr(Counters, "tenant", mutant)


def a_release_takes_no_slot_of_the_deployment(patch: pytest.MonkeyPatch) -> None:
    _drop(patch, Consequence.DEPLOYMENT, lambda before, after: before.is_queued and after.holds_slot)


def a_place_stays_in_the_queue(patch: pytest.MonkeyPatch) -> None:
    _drop(patch, Consequence.PLACE, lambda *_: True)


def a_cancel_in_the_queue_is_not_settled(patch: pytest.MonkeyPatch) -> None:
    _drop(patch, Consequence.USE, lambda before, _: before.is_queued)


def _drop(patch: pytest.MonkeyPatch, dropped: Consequence, applies: Callable[[Run, Run], bool]) -> None:
    of = ChangeWrites.of

    def mutant(self: ChangeWrites, before: Run, after: Run) -> Any:
        writes = of(self, before, after)
        return {what: write for what, write in writes.items() if what is not dropped or not applies(before, after)}

    patch.setattr(ChangeWrites, "of", mutant)


def a_run_is_settled_twice(patch: pytest.MonkeyPatch) -> None:
    settle = Counters.settle_use

    def mutant(self: Counters, *of: Any, seconds: int, cost_microusd: int) -> Any:
        return settle(self, *of, seconds=2 * seconds, cost_microusd=2 * cost_microusd)

    patch.setattr(Counters, "settle_use", mutant)


@pytest.mark.parametrize(
    ("mutation", "scenario", "property_broken"),
    [
        (a_slot_is_freed_twice, QUEUED, "I3"),
        (a_cancel_keeps_its_place, CANCELLED_IN_THE_QUEUE, "I3"),
        (a_release_takes_no_slot_of_the_deployment, QUEUED, "I3: 0 slots of the deployment"),
        (a_place_stays_in_the_queue, QUEUED, "queue: 1 places"),
        (a_cancel_in_the_queue_is_not_settled, CANCELLED_IN_THE_QUEUE, "settlement"),
        (a_run_is_settled_twice, QUEUED, "settlement"),
    ],
)
def test_a_defect_in_what_a_change_brings_is_seen(
    platform: Platform, mutation: Mutation, scenario: Scenario, property_broken: str, monkeypatch: pytest.MonkeyPatch
):
    mutation(monkeypatch)

    found = violations(play(platform, scenario))

    assert any(wrong.startswith(property_broken) for wrong in found), found
