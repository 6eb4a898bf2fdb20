"""Whatever comes and ends in whatever order: no slot lies idle, and nobody who has nothing at work is passed over."""

from collections import Counter
from dataclasses import dataclass, field

import hypothesis.strategies as st
from builders import a_plan, a_run, a_tenant
from hypothesis import given, settings

from outpost.domain.deployment import Deployment
from outpost.domain.run import RunStatus
from outpost.use_cases.hand_out_slots import hand_out_slots

EXAMPLES = settings(deadline=None, derandomize=True, database=None)

TENANTS = ("ada", "bob", "cyd", "dan")
STEPS = st.lists(st.tuples(st.sampled_from(TENANTS), st.sampled_from(["comes", "ends"])), max_size=60)


@dataclass
class Estate:
    """Four tenants with two slots each, three slots for all; every step hands out what is free."""

    world: object
    passed_over: Counter = field(default_factory=Counter)
    worst: int = 0
    idle: int = 0
    overfull: int = 0
    arrived: int = 0

    def __post_init__(self):
        plan = a_plan(concurrent_runs=2)
        self.world.runs.tenants = {name: a_tenant(tenant_id=name, plan=plan) for name in TENANTS}
        self.world.runs.deployment = Deployment(most_runs=3)

    def play(self, steps):
        for tenant_id, what in steps:
            self.world.clock.move(seconds=1)
            (self.come if what == "comes" else self.end)(tenant_id)
            self.hand_out(tenant_id)
        return self

    def drain(self):
        """End whatever has a slot until nothing is left; each run ends in the order in which it got it."""
        for _ in range(self.arrived):
            at_work = [run for run in self.world.runs.records.values() if run.holds_slot]
            self.world.clock.move(seconds=1)
            owner = min(at_work, key=lambda run: run.status_since).tenant_id if at_work else TENANTS[0]
            self.end(owner)
            self.hand_out(owner)
        return self

    def come(self, tenant_id):
        self.arrived += 1
        run_id = f"01Q3ENHRG0{self.arrived:016d}"
        self.world.add(a_run(tenant_id=tenant_id, run_id=run_id, status=RunStatus.QUEUED))

    def end(self, tenant_id):
        mine = [run for run in self.world.runs.records.values() if run.tenant_id == tenant_id and run.holds_slot]
        if mine:
            ended = mine[0].ended(RunStatus.FAILED, None, self.world.clock.now())
            self.world.runs.save(mine[0], ended, None)

    def hand_out(self, freed_by):
        needy = {name for name, tenant in self._waiting().items() if tenant.active_runs == 0}
        before = len(self.world.runs.events)
        hand_out_slots(self.world.giver, freed_by)
        served = [event.tenant_id for event in self.world.runs.events[before:]]
        for lucky in served:
            needy.discard(lucky)
            self.passed_over.pop(lucky, None)
            self.passed_over.update(needy)
        self.worst = max(self.worst, *self.passed_over.values(), 0)
        able = [tenant for tenant in self._waiting().values() if tenant.may_start]
        self.idle += bool(able and self.world.runs.deployment.has_room)
        self.overfull += self.world.runs.deployment.active_runs > 3
        self.overfull += any(tenant.active_runs > 2 for tenant in self.world.runs.tenants.values())

    def _waiting(self):
        return {name: tenant for name, tenant in self.world.runs.tenants.items() if tenant.queued_runs}

    def still_alive(self):
        return [run for run in self.world.runs.records.values() if not run.status.is_terminal]


@EXAMPLES
@given(steps=STEPS)
def test_no_slot_lies_idle_while_somebody_may_have_it(make_world, steps):
    assert Estate(make_world()).play(steps).idle == 0


@EXAMPLES
@given(steps=STEPS)
def test_no_limit_is_overrun(make_world, steps):
    assert Estate(make_world()).play(steps).overfull == 0


@EXAMPLES
@given(steps=STEPS)
def test_who_has_nothing_at_work_is_passed_over_by_each_other_at_most_once(make_world, steps):
    assert Estate(make_world()).play(steps).worst < len(TENANTS)


@EXAMPLES
@given(steps=STEPS)
def test_every_run_gets_its_turn_once_nothing_more_comes(make_world, steps):
    assert Estate(make_world()).play(steps).drain().still_alive() == []
