"""When a workspace's owner is told of its end, and when it is over."""

import pytest
from builders import a_workspace, later

TWO_DAYS_BEFORE = later(days=28)


@pytest.mark.parametrize("at", [TWO_DAYS_BEFORE, later(days=29), later(days=30), later(days=31)])
def test_its_owner_is_told_from_two_days_before_its_end(at):
    assert a_workspace().is_to_be_noticed(at)


def test_its_owner_is_not_told_before():
    assert not a_workspace().is_to_be_noticed(later(days=28, seconds=-1))


@pytest.mark.parametrize("changes", [{"leased_by": "a run"}, {"noticed_at": TWO_DAYS_BEFORE}])
def test_nobody_is_told_while_a_run_has_it_or_again(changes):
    assert not a_workspace(**changes).is_to_be_noticed(TWO_DAYS_BEFORE)


def test_it_is_over_at_its_end():
    assert a_workspace().has_expired(later(days=30))


def test_it_is_not_over_before_its_end():
    assert not a_workspace().has_expired(later(days=30, seconds=-1))


def test_it_is_never_over_while_a_run_has_it():
    assert not a_workspace(leased_by="a run").has_expired(later(days=300))
