"""What becomes of a state when nothing more goes wrong, at worst: only the sweep, the clocks, the machine and ECS act.

No event arrives, no runner moves, no slot is handed on, and Step Functions' own StopTask is lost. At first nobody waits
too long for a slot: who can have one has to get it. Then also the clocks of the queue run out.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from model_canonical import canonical
from model_effects import set_task
from model_machine import machine_steps
from model_world import NOBODY, World
from model_writes import TERMINAL

if TYPE_CHECKING:
    from model_actions import Actions

MOST_ROUNDS = 40
MACHINE_GOES_ON = ("ask for the slot", "launch", "the machine sees the stop", "finish", "the state times out")
QUEUE_CLOCKS = ("queue-overdue", "the wait times out")
NEVER_ENDS = "I9: without further faults, sweep and clocks do not end the run and its tasks"
WAITS_FOR_EVER = "queue: a run waits for ever while a slot is free"
NOT_TOLD = "queue: a run has its slot, and a sweep leaves its execution waiting for it"


class Continuation:
    """The worst future without faults, for each state once."""

    def __init__(self, actions: "Actions") -> None:
        self._actions = actions
        self._wrongs: dict[World, frozenset[str]] = {}

    def wrongs(self, world: World) -> Iterator[str]:
        """What is wrong with the state's future."""
        lives = tuple(life._replace(stop_under_way=NOBODY) for life in world.lives)
        world = world._replace(lives=lives, torn=None, torn_left=0, faults_left=0, switches_left=0)
        world = canonical(world, self._actions.use_cases.records)
        passed: list[World] = []
        wrongs: set[str] = set()
        for _ in range(MOST_ROUNDS):
            if world in self._wrongs or self._has_ended(world):
                break
            passed.append(world)
            world, found = self._next_round(world)
            wrongs |= found
        else:
            wrongs.add(NEVER_ENDS)
        wrongs |= self._wrongs.get(world, frozenset())
        self._wrongs.update(dict.fromkeys(passed, frozenset(wrongs)))
        yield from sorted(wrongs)

    def _next_round(self, world: World) -> tuple[World, set[str]]:
        """A round of everything but the clocks of the queue, and where that changes nothing, of those too."""
        after, wrongs = self._round(world, ())
        if after != world:
            return after, wrongs
        after, _ = self._round(world, QUEUE_CLOCKS)
        return after, wrongs | ({WAITS_FOR_EVER} if self._could_be_served(world) else set())

    def _could_be_served(self, world: World) -> bool:
        ledger, bounds = world.ledger, self._actions.use_cases.bounds
        has_room = ledger.active < bounds.slots and ledger.deployment_active < bounds.deployment_slots
        return bool(ledger.queued) and has_room and not ledger.switch

    def _has_ended(self, world: World) -> bool:
        return all(self._run_has_ended(world._replace(at=place)) for place in range(len(world.lives)))

    def _run_has_ended(self, world: World) -> bool:
        status = self._actions.use_cases.status(world)
        is_quiet = world.execution.status != "RUNNING" and not any(task.is_live for task in world.tasks)
        return (not status or status in TERMINAL) and is_quiet

    def _round(self, world: World, clocks: tuple[str, ...]) -> tuple[World, set[str]]:
        wrongs: set[str] = set()
        for place in range(len(world.lives)):
            world, found = self._move(world._replace(at=place), clocks)
            wrongs |= found
        return canonical(world, self._actions.use_cases.records), wrongs

    def _move(self, world: World, clocks: tuple[str, ...]) -> tuple[World, set[str]]:
        """The sweep with each clock that has run out, then what was asked to stop stops, then the machine moves."""
        wrongs: set[str] = set()
        for age, _ in (*self._actions.ages(world),):
            if age in QUEUE_CLOCKS and age not in clocks:
                continue
            _, world, _ = self._actions.ask("", world, ("sweep", age))
            if self._actions.use_cases.status(world) == "PENDING" and world.execution.at == "wait":
                wrongs.add(NOT_TOLD)
        for number, task in enumerate(world.tasks):
            if task.life == "stopping":
                world = set_task(world, number, task._replace(life="stopped", exit_code=137))
        for label, after, _ in machine_steps(self._actions, world):
            if label in (*MACHINE_GOES_ON, *clocks) and after != world:
                return after.living(stop_under_way=NOBODY), wrongs
        return world, wrongs
