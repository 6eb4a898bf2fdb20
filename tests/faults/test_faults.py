"""One fault at each call of each scenario: whatever fails, the properties of the lifecycle hold."""

from collections.abc import Iterator

import pytest

from .injection import Point
from .platform import Platform, open_platform
from .properties import violations
from .scenarios import SCENARIOS
from .world import Scenario, play

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def list_points() -> list[Point]:
    """The scenarios themselves say which calls there are."""
    known: set[object] = set()
    with open_platform() as platform:
        worlds = {name: play(platform, scenario) for name, scenario in BY_NAME.items()}
    return [point for name, world in worlds.items() for point in world.injector.distinct_points(name, known)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "point" in metafunc.fixturenames:
        metafunc.parametrize("point", list_points(), ids=str)


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with open_platform() as opened:
        yield opened


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_without_a_fault_the_properties_hold(platform: Platform, scenario: Scenario):
    assert violations(play(platform, scenario)) == []


def test_with_one_fault_the_properties_hold(platform: Platform, point: Point):
    assert violations(play(platform, BY_NAME[point.scenario], point)) == []
