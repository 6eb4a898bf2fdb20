"""Searches every interleaving of the model, breadth first, up to a depth: python tests/model/model.py --help."""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "support")]

from model_actions import Actions
from model_continuation import Continuation
from model_properties import wrongs_of_state
from model_use_cases import UseCases
from model_world import NO_RUN, Bounds, Records, World
from model_writes import TERMINAL

# One fault in every order until no new state is left; then what is too much for that, up to a depth.
DEFAULT = (
    Bounds(depth=40, faults=1),
    Bounds(depth=8, faults=2),
    Bounds(depth=9, faults=0, torn=1),
    Bounds(depth=8, faults=1, torn=1),
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
        self.use_cases = UseCases()
        self.actions = Actions(self.use_cases, bounds.launches, claims_without_arn=bounds.claims_without_arn)
        self.continuation = Continuation(self.actions)
        self.stop_at_first = stop_at_first
        self.came_from: dict[World, tuple[World, str] | None] = {}
        self.found = Found(bounds)

    def run(self) -> Found:
        """Everything up to the depth."""
        began = time.monotonic()
        first = World(faults_left=self.bounds.faults, torn_left=self.bounds.torn)
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
                after = self._canonical(reached)
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
            self.found.strays += any(task.is_live for task in world.tasks)
        if not self.continuation.ends_well(world):
            yield "I9: without further faults, sweep and clocks do not end the run and its tasks"

    def _has_ended(self, world: World) -> bool:
        return self.use_cases.status(world) in TERMINAL

    def _is_left_out(self, label: str) -> bool:
        return not label.startswith(tuple(self.bounds.only))

    def _canonical(self, world: World) -> World:
        """The state with revisions counted anew: all that matters of one is whether it is the one that was read."""
        return canonical(world, self.use_cases.records)

    def _trace(self, world: World) -> tuple[str, ...]:
        steps: list[str] = []
        step = self.came_from[world]
        while step is not None:
            world, label = step
            steps.append(label)
            step = self.came_from[world]
        return tuple(reversed(steps))


def canonical(world: World, records: Records) -> World:
    """The state with the revisions of its records counted from one."""
    if world.run == NO_RUN:
        return world
    journal = world.torn.journal if world.torn else ()
    read = [entry[1] for entry in journal if isinstance(entry, tuple) and entry and entry[0] == "run"]
    revisions = sorted({records[number].revision for number in (*read, world.run) if number != NO_RUN})
    if revisions == list(range(1, len(revisions) + 1)):
        return world
    ranks = {revision: rank for rank, revision in enumerate(revisions, 1)}

    def again(number: int) -> int:
        if number == NO_RUN:
            return number
        return records.number(replace(records[number], revision=ranks[records[number].revision]))

    counted = tuple(
        ("run", again(entry[1]), *entry[2:]) if isinstance(entry, tuple) and entry and entry[0] == "run" else entry
        for entry in journal
    )
    return world._replace(run=again(world.run), torn=world.torn and world.torn._replace(journal=counted))


def report(found: Found) -> str:
    """What a search has found, for people."""
    bounds = found.bounds
    lines = [
        f"bounds       faults {bounds.faults}, interrupted use cases {bounds.torn}, launches {bounds.launches},"
        f" depth {bounds.depth}",
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
    parser.add_argument("--first", action="store_true", help="stop at the first violation")
    options = parser.parse_args()
    own = Bounds(
        options.depth or 0,
        options.faults,
        options.torn,
        options.launches,
        claims_without_arn=options.claims_without_arn,
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
