"""What becomes of a state when nothing more goes wrong, at worst: only the sweep, the clocks, the machine and ECS act.

No event arrives, no runner moves, and Step Functions' own StopTask is lost.
"""

from typing import TYPE_CHECKING

from model_effects import set_task
from model_machine import machine_steps
from model_world import NOBODY, World
from model_writes import TERMINAL

if TYPE_CHECKING:
    from model_actions import Actions

MOST_ROUNDS = 40
MACHINE_GOES_ON = ("launch", "the machine sees the stop", "finish", "the state times out")


class Continuation:
    """The worst future without faults, for each state once."""

    def __init__(self, actions: "Actions") -> None:
        self._actions = actions
        self._ends_well: dict[World, bool] = {}

    def ends_well(self, world: World) -> bool:
        """Whether the run ends and none of its tasks stays."""
        world = world._replace(torn=None, torn_left=0, faults_left=0, stop_under_way=NOBODY)
        passed: list[World] = []
        for _ in range(MOST_ROUNDS):
            if world in self._ends_well or self._has_ended(world):
                break
            passed.append(world)
            world = self._next_round(world)
        is_well = self._ends_well.get(world, self._has_ended(world))
        self._ends_well.update(dict.fromkeys(passed, is_well))
        return is_well

    def _has_ended(self, world: World) -> bool:
        status = self._actions.use_cases.status(world)
        is_quiet = world.execution.status != "RUNNING" and not any(task.is_live for task in world.tasks)
        return (not status or status in TERMINAL) and is_quiet

    def _next_round(self, world: World) -> World:
        """The sweep with each clock that has run out, then what was asked to stop stops, then the machine moves."""
        for age, _ in (*self._actions.ages(world),):
            _, world, _ = self._actions.ask("", world, ("sweep", age))
        for number, task in enumerate(world.tasks):
            if task.life == "stopping":
                world = set_task(world, number, task._replace(life="stopped", exit_code=137))
        for label, after, _ in machine_steps(self._actions, world):
            if label in MACHINE_GOES_ON and after != world:
                return after._replace(stop_under_way=NOBODY)
        return world
