"""Every condition of every write is needed: a check fails without it."""

from collections.abc import Callable, Iterator

import pytest

from .condition_checks import CHECKS, Bench
from .conditions import Place, Watch, list_constants, list_unnamed, watching
from .platform import Platform, open_platform
from .scenarios import SCENARIOS
from .world import play


def run_check(platform: Platform, check: Callable[[Bench], None], dropped: Place | None = None) -> set[Place]:
    """The conditions that the check met. Raises AssertionError where it fails."""
    platform.empty()
    with watching(Watch(dropped)) as watch:
        check(Bench(platform.deployment, watch))
    return watch.seen


def failed_without(platform: Platform, place: Place) -> list[str]:
    """The checks that fail where the condition is dropped."""
    found = []
    for check in CHECKS:
        try:
            run_check(platform, check, place)
        except AssertionError:
            found.append(check.__name__)
    return found


def list_places() -> list[Place]:
    """Every condition that the checks, or any scenario, ever send."""
    with open_platform() as platform:
        met = set().union(*(run_check(platform, check) for check in CHECKS))
        with watching(Watch()) as watch:
            for scenario in SCENARIOS:
                play(platform, scenario)
        return sorted(met | watch.seen)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        metafunc.parametrize("place", list_places(), ids=str)


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with open_platform() as opened:
        yield opened


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_with_every_condition_the_check_holds(platform: Platform, check: Callable[[Bench], None]):
    run_check(platform, check)


def test_without_the_condition_a_check_fails(platform: Platform, place: Place):
    assert failed_without(platform, place) != []


@pytest.mark.parametrize("constant", list_constants(), ids=str)
def test_every_named_condition_is_sent_by_some_check(platform: Platform, constant):
    sent = set().union(*(run_check(platform, check) for check in CHECKS))
    assert constant.expression in {place.expression for place in sent}


def test_every_condition_has_a_name():
    assert list_unnamed() == []
