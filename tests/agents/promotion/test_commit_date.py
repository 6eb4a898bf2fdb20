"""A commit is dated by the run's id, which tells when it was dispatched, and never before its parent."""

import pytest

from outpost_runner.promotion.commit import choose_date

from ..repository import git

# 2037-01-01T00:00:00Z, and the first moment that an id can tell.
LATER, FIRST = "01XH5EN8000000000000000000", "00000000000000000000000000"


def test_the_date_is_the_dispatchs(plain_git):
    assert choose_date(plain_git, LATER, "main") == 2_114_380_800


@pytest.mark.parametrize("run_id", [FIRST, "not an id", ""])
def test_it_is_not_before_the_parents(plain_git, upstream, run_id):
    assert str(choose_date(plain_git, run_id, "main")) == git(upstream.bare, "log", "-1", "--format=%ct", "main")
