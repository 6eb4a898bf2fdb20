"""Every condition of every write is needed: a check fails without it."""

from collections.abc import Iterator
from functools import cache

import pytest

from .bench import Bench, Check
from .condition_checks import CHECKS
from .conditions import Constant, Place, Watch, list_constants, list_unnamed, parts_of, watching
from .platform import Platform, open_platform
from .scenarios import SCENARIOS
from .world import play


def run_check(platform: Platform, check: Check, dropped: Place | None = None) -> set[Place]:
    """The conditions that the check met. Raises AssertionError where it fails."""
    platform.empty()
    with watching(Watch(dropped)) as watch:
        check(Bench(platform.deployment, watch))
    return watch.seen


@cache
def checks_by_place() -> dict[Place, list[Check]]:
    """Every condition that the checks, or any scenario, ever send, and the checks that send it."""
    found: dict[Place, list[Check]] = {}
    with open_platform() as platform:
        for check in CHECKS:
            for place in run_check(platform, check):
                found.setdefault(place, []).append(check)
        with watching(Watch()) as watch:
            for scenario in SCENARIOS:
                play(platform, scenario)
    return {place: found.get(place, []) for place in sorted(found.keys() | watch.seen)}


def fails_without(platform: Platform, check: Check, place: Place) -> bool:
    """Whether the check fails where the condition is dropped."""
    try:
        run_check(platform, check, place)
    except AssertionError:
        return True
    return False


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        metafunc.parametrize("place", checks_by_place(), ids=str)


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with open_platform() as opened:
        yield opened


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_with_every_condition_the_check_holds(platform: Platform, check: Check):
    run_check(platform, check)


def test_without_the_condition_a_check_fails(platform: Platform, place: Place):
    assert any(fails_without(platform, check, place) for check in checks_by_place()[place])


@pytest.mark.parametrize("constant", list_constants(), ids=str)
def test_every_named_condition_is_sent_by_some_check(constant: Constant):
    sent = {place.part for place, checks in checks_by_place().items() if checks}
    assert set(parts_of(constant.expression)) <= sent


def test_every_condition_has_a_name():
    assert list_unnamed() == []
