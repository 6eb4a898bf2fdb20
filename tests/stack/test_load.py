"""Dispatches at once, on the whole stack: the limit holds at every moment, the order is as promised, all end."""

from collections import Counter

import pytest
from tests.stack.load import run_load

pytestmark = pytest.mark.xdist_group("load")


@pytest.fixture(scope="module")
def loaded():
    return run_load(dispatches=30, limit=4, places=20, seed=4)


def test_never_more_are_at_work_than_the_limit(loaded):
    _, watch, _ = loaded
    assert (watch.most_at_work, watch.too_many) == (4, 0)


def test_slots_are_given_by_priority_and_age(loaded):
    load, watch, _ = loaded
    assert load.released == Counter(said for _, said, _ in load.answers)["QUEUED"]
    assert watch.out_of_order == 0


def test_all_that_was_admitted_completes_and_the_rest_is_told_why(loaded):
    load, watch, _ = loaded
    said = Counter(said for _, said, _ in load.answers)
    assert said.keys() == {"PENDING", "QUEUED", "QUEUE_FULL"}
    # And the one that fifty requests with one idempotency key have made.
    assert Counter(watch.statuses.values()) == {"COMPLETED": said["PENDING"] + said["QUEUED"] + 1}


def test_nothing_is_left_in_use_and_one_key_has_made_one_run(loaded):
    _, _, left = loaded
    assert not any(left.values())
