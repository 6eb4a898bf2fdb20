"""Prints scenarios, points, violations: `python -m tests.faults.report [--all]` with tests/support on the path."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from .platform import Platform, open_platform
from .properties import violations
from .scenarios import SCENARIOS, Scenario
from .world import World, play


@dataclass
class Tally:
    """What a scenario's faults came to."""

    scenario: Scenario
    calls: int = 0
    points: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    longest_seconds: float = 0
    violations: list[str] = field(default_factory=list)

    def add(self, name: str, world: World) -> None:
        self.outcomes.update(str(run.status) for run in world.history.runs())
        self.longest_seconds = max(self.longest_seconds, world.seconds)
        self.violations += [f"{name}: {violation}" for violation in violations(world)]

    def __str__(self) -> str:
        ends = ", ".join(f"{status} {count}" for status, count in self.outcomes.items())
        return (
            f"{self.scenario.name:24} {self.calls:4} calls {self.points:5} points  "
            f"at rest within {self.longest_seconds:4.0f} s  {ends}"
        )


def tally(platform: Platform, scenario: Scenario, known: set[object] | None) -> Tally:
    """The scenario without a fault, and then with each, or with each that is not known."""
    world = play(platform, scenario)
    injector = world.injector
    points = injector.points(scenario.name) if known is None else injector.distinct_points(scenario.name, known)
    counted = Tally(scenario, len(injector.calls), len(points))
    counted.add(f"{scenario.name} without a fault", world)
    for point in points:
        counted.add(str(point), play(platform, scenario, point))
    return counted


def main(arguments: Sequence[str]) -> int:
    """Of the points those that differ, or with `--all` every one."""
    known: set[object] | None = None if "--all" in arguments else set()
    with open_platform() as platform:
        tallies = []
        for scenario in SCENARIOS:
            tallies.append(tally(platform, scenario, known))
            print(tallies[-1], flush=True)  # noqa: T201
    found = [violation for counted in tallies for violation in counted.violations]
    points = sum(counted.points for counted in tallies)
    print(f"scenarios: {len(tallies)}  injection points: {points}  violations: {len(found)}")  # noqa: T201
    for violation in found:
        print(f"  {violation}")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
