"""Searches every interleaving of the model, breadth first, up to a depth: python tests/model/model.py --help."""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "support")]

from model_actions import Actions
from model_canonical import canonical
from model_continuation import Continuation
from model_properties import wrongs_of_state
from model_use_cases import UseCases
from model_world import Bounds, World
from model_writes import TERMINAL

from outpost.domain.run import Priority

# What moves two runs that wait: they get their slots, and are not followed into their tasks.
TWO_WAIT = frozenset(
    {"create", "cancel", "ask", "the wait", "another", "sweep", "finish", "event", "hand-out", "hear", "the console"}
)
# What moves one that waits, and its task as far as the claim.
ONE_WAITS = TWO_WAIT | {"switch", "launch", "task 0 runs", "runner 0 claims", "claim", "redrive", "the machine"}
LOW_AND_HIGH = (Priority.LOW, Priority.HIGH)

# One fault in every order until no new state is left; then what is too much for that, up to a depth. Of a run that
# waits first, and of two that wait.
DEFAULT = (
    Bounds(depth=40, faults=1),
    Bounds(depth=8, faults=2),
    Bounds(depth=9, faults=0, torn=1),
    Bounds(depth=8, faults=1, torn=1),
    Bounds(depth=40, faults=0, busy=1),
    Bounds(depth=12, faults=1, busy=1),
    Bounds(depth=9, faults=0, busy=1, switches=2),
    Bounds(depth=9, faults=1, torn=1, busy=1, only=ONE_WAITS),
    Bounds(depth=9, faults=1, busy=1, runs=LOW_AND_HIGH, only=TWO_WAIT),
    Bounds(depth=9, faults=1, busy=1, slots=2, deployment_slots=1, runs=LOW_AND_HIGH, only=TWO_WAIT),
    Bounds(depth=8, faults=0, torn=1, busy=1, runs=LOW_AND_HIGH, only=TWO_WAIT),
)


@dataclass
class Found:
    """What a search has found."""

    bounds: Bounds
    states: int = 0
    transitions: int = 0
    depth: int = 0
    is_closed: bool = False
    ends: int = 0
    strays: int = 0
    longest: tuple[str, ...] = ()
    violations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: float = 0.0


class Search:
    """A breadth-first search; each state remembers the step that first led to it, so that a trace is a shortest one."""

    def __init__(self, bounds: Bounds, *, stop_at_first: bool = False) -> None:
        self.bounds = bounds
        self.use_cases = UseCases(bounds)
        self.actions = Actions(self.use_cases, bounds.launches, claims_without_arn=bounds.claims_without_arn)
        self.continuation = Continuation(self.actions)
        self.stop_at_first = stop_at_first
        self.came_from: dict[World, tuple[World, str] | None] = {}
        self.found = Found(bounds)

    def run(self) -> Found:
        """Everything up to the depth."""
        began = time.monotonic()
        first = self.bounds.first
        self.came_from[first] = None
        level = [first]
        while level and self.found.depth < self.bounds.depth and not self._is_enough():
            level = list(self._next_level(level))
            self.found.depth += bool(level)
            self.found.longest = self._trace(level[0]) if level else self.found.longest
        self.found.is_closed = not level
        self.found.states = len(self.came_from)
        self.found.seconds = time.monotonic() - began
        return self.found

    def _is_enough(self) -> bool:
        return self.stop_at_first and bool(self.found.violations)

    def _next_level(self, level: list[World]) -> Iterator[World]:
        for world in level:
            for label, reached, wrongs_on_the_way in self.actions.after(world):
                if self._is_left_out(label):
                    continue
                self.found.transitions += 1
                after = canonical(reached, self.use_cases.records)
                wrongs = list(wrongs_on_the_way)
                is_new = after not in self.came_from
                if is_new:
                    self.came_from[after] = (world, label)
                    wrongs = [*wrongs, *self._wrongs(after)]
                for wrong in wrongs:
                    self.found.violations.setdefault(wrong, (*self._trace(world), label))
                if is_new:
                    yield after
            if self._is_enough():
                return

    def _wrongs(self, world: World) -> Iterator[str]:
        yield from wrongs_of_state(world, self.use_cases)
        if self._has_ended(world):
            self.found.ends += 1
            self.found.strays += any(task.is_live for life in world.lives for task in life.tasks)
        yield from self.continuation.wrongs(world)

    def _has_ended(self, world: World) -> bool:
        places = range(len(world.lives))
        return all(self.use_cases.status(world._replace(at=place)) in TERMINAL for place in places)

    def _is_left_out(self, label: str) -> bool:
        return not label.startswith(tuple(self.bounds.only))

    def _trace(self, world: World) -> tuple[str, ...]:
        steps: list[str] = []
        step = self.came_from[world]
        while step is not None:
            world, label = step
            steps.append(label)
            step = self.came_from[world]
        return tuple(reversed(steps))


def report(found: Found) -> str:
    """What a search has found, for people."""
    bounds = found.bounds
    lines = [
        f"bounds       faults {bounds.faults}, interrupted use cases {bounds.torn}, launches {bounds.launches},"
        f" depth {bounds.depth}",
        f"queue        runs {' '.join(bounds.runs)}, slots {bounds.slots}, of the deployment {bounds.deployment_slots},"
        f" busy {bounds.busy}, changes of a switch {bounds.switches}",
        f"states       {found.states:,} in {found.seconds:.1f} s",
        f"transitions  {found.transitions:,}",
        f"longest path {found.depth} steps" + (" (no state lies further away)" if found.is_closed else " (cut here)"),
        f"             {'; '.join(found.longest)}",
        f"ended runs   {found.ends:,} states, of which {found.strays:,} have a task that no longer can claim the run",
        f"violations   {len(found.violations)}",
    ]
    for wrong, trace in found.violations.items():
        lines += ["", wrong, *(f"  {number:2} {step}" for number, step in enumerate(trace, 1))]
    return "\n".join(lines)


def main() -> int:
    """Search as the command line says, or the default searches; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depth", type=int, help="search once, with bounds of your own, up to this depth")
    parser.add_argument("--faults", type=int, default=1)
    parser.add_argument("--torn", type=int, default=0, help="use cases interrupted between their calls")
    parser.add_argument("--launches", type=int, default=4)
    parser.add_argument("--claims-without-arn", action="store_true", help="runners may not know their task's ARN")
    parser.add_argument("--busy", type=int, default=0, help="slots that others hold, so that the run waits")
    parser.add_argument("--switches", type=int, default=0, help="how often a kill switch is changed")
    parser.add_argument("--first", action="store_true", help="stop at the first violation")
    options = parser.parse_args()
    own = Bounds(
        options.depth or 0,
        options.faults,
        options.torn,
        options.launches,
        claims_without_arn=options.claims_without_arn,
        busy=options.busy,
        switches=options.switches,
    )
    violations = 0
    for bounds in DEFAULT if options.depth is None else (own,):
        found = Search(bounds, stop_at_first=options.first).run()
        print(report(found), end="\n\n", flush=True)  # noqa: T201
        violations += len(found.violations)
    print(f"violations in all: {violations}")  # noqa: T201
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
