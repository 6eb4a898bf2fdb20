"""One fault at each call of each scenario: whatever fails, the properties of the lifecycle hold."""

from collections.abc import Iterator

import pytest

from .injection import Fault, Point
from .platform import Platform, open_platform
from .properties import violations
from .scenarios import QUEUED, SCENARIOS, Scenario
from .world import play

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


def test_an_execution_that_nobody_told_of_its_slot_is_told_by_the_sweep(platform: Platform):
    calls = play(platform, QUEUED).injector.calls
    told = [call.name for call in calls].index("stepfunctions.SendTaskSuccess")
    released = max(place for place, call in enumerate(calls[:told]) if call.name == "dynamodb.TransactWriteItems")

    world = play(platform, QUEUED, Point(QUEUED.name, released, calls[released], Fault.CALLER_DIES))

    told_by = [call.caller for call in world.injector.calls if call.name == "stepfunctions.SendTaskSuccess"]
    assert told_by[0] == "sweep"
    assert violations(world) == []
    assert [step.status for step in world.history.steps[world.run_id]] == ["QUEUED", "PENDING", "RUNNING", "COMPLETED"]
