"""A process takes requests in advance and answers from them; together, processes never grant more than the rate."""

from collections import Counter
from dataclasses import dataclass, field

import hypothesis.strategies as st
import pytest
from builders import NOON, a_key, a_tenant, later, terms_of
from hypothesis import given, settings

from outpost.adapters.remembered_keys import MOST_KEYS, RememberedKeys

EXAMPLES = settings(deadline=None, derandomize=True, database=None)

TERMS = terms_of(a_tenant())
HASH = a_key().key_hash


@dataclass
class Table:
    """The key's item: how many requests were taken in each minute, and with each write."""

    taken: Counter = field(default_factory=Counter)
    sizes: list[int] = field(default_factory=list)

    def take(self, lease):
        self.sizes.append(lease.size)
        self.taken[lease.key_hash, lease.attribute] += lease.size
        return self.taken[lease.key_hash, lease.attribute]


@dataclass
class Process:
    """One process with its memory, at a table that others write too."""

    limit: int
    table: Table = field(default_factory=Table)

    def __post_init__(self):
        self.remembered = RememberedKeys(self.limit)

    def use(self, now=NOON, key_hash=HASH):
        known = self.remembered.use(key_hash, now)
        if known is not None:
            return known
        lease = self.remembered.next_lease(key_hash, now)
        return self.remembered.take(lease, a_key(key_hash=key_hash), TERMS, self.table.take(lease))

    def granted(self, times, now=NOON):
        """How many of so many requests are let through."""
        return sum(not self.use(now).rate.is_exceeded for _ in range(times))

    def granted_while_forgetting(self, forgets):
        """How many requests are let through, where the key is forgotten after some of them."""
        granted = 0
        for is_forgotten in forgets:
            granted += self.granted(1)
            self.remembered.forget(HASH if is_forgotten else "another")
        return granted


def together(processes, turns):
    """How many requests are let through, each at the process whose turn it is."""
    return sum(processes[turn].granted(1) for turn in turns)


@pytest.mark.parametrize("limit", [1, 2, 19, 20, 21, 45, 100, 600])
def test_one_process_grants_exactly_the_rate(limit):
    process = Process(limit)
    assert process.granted(limit) == limit
    assert process.granted(50) == 0


def test_what_is_left_counts_down_one_by_one():
    process = Process(45)
    assert [process.use().rate.remaining for _ in range(47)] == [*range(44, -1, -1), 0, 0]


def test_a_process_takes_two_at_first_and_twice_as_many_each_time_up_to_a_twentieth_of_the_rate():
    process = Process(600)
    process.granted(600)
    assert process.table.sizes == [2, 4, 8, 16, *[30] * 19]


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1]), (20, [1] * 20), (59, [2] * 30), (60, [2, *[3] * 20])])
def test_no_more_than_a_twentieth_of_a_small_rate_is_taken_at_once(limit, sizes):
    process = Process(limit)
    process.granted(limit)
    assert process.table.sizes == sizes


def test_a_process_begins_with_two_again_in_the_next_minute():
    process = Process(600)
    process.granted(30)
    process.granted(3, later(minutes=1))
    assert process.table.sizes == [2, 4, 8, 16, 2, 4]


def test_a_process_that_has_forgotten_the_key_begins_with_two_again():
    process = Process(600)
    process.granted(30)
    process.remembered.forget(HASH)
    process.granted(1)
    assert process.table.sizes == [2, 4, 8, 16, 2]


def test_fifty_processes_with_one_request_each_are_all_served():
    table = Table()
    processes = [Process(600, table) for _ in range(50)]
    assert together(processes, range(50)) == 50


@EXAMPLES
@given(busy=st.integers(0, 300))
def test_fifty_processes_are_all_served_beside_a_busy_one(busy):
    table = Table()
    Process(600, table).granted(busy)
    processes = [Process(600, table) for _ in range(50)]
    assert together(processes, range(50)) == 50


def test_a_key_whose_rate_is_used_up_costs_no_write():
    process = Process(40)
    process.granted(40)
    process.table.sizes.clear()
    process.granted(10)
    assert process.table.sizes == []


def test_only_the_first_use_of_what_was_taken_is_fresh():
    process = Process(40)
    assert [process.use().is_fresh for _ in range(4)] == [True, False, True, False]


def test_the_key_and_its_plan_are_as_they_were_when_requests_were_taken():
    process = Process(40)
    process.use()
    assert (process.use().key, process.use().terms) == (a_key(), TERMS)


@EXAMPLES
@given(limit=st.integers(1, 130), turns=st.lists(st.integers(0, 1), max_size=300))
def test_two_processes_never_grant_more_than_the_rate_together(limit, turns):
    table = Table()
    assert together([Process(limit, table), Process(limit, table)], turns) <= limit


@EXAMPLES
@given(limit=st.integers(1, 130), turns=st.lists(st.integers(0, 2), max_size=100))
def test_processes_that_go_on_asking_get_the_whole_rate_and_no_more(limit, turns):
    table = Table()
    processes = [Process(limit, table) for _ in range(3)]
    granted = together(processes, turns) + together(processes, [0, 1, 2] * (limit + 1))
    assert granted == limit


def test_a_process_that_comes_when_others_have_taken_all_grants_nothing():
    table = Table()
    Process(40, table).granted(40)
    use = Process(40, table).use()
    assert (use.rate.is_exceeded, use.rate.remaining) == (True, 0)


def test_a_process_gets_what_others_have_left_over():
    table = Table()
    Process(45, table).granted(44)
    assert Process(45, table).granted(5) == 1


@pytest.mark.parametrize("now", [NOON, later(seconds=59.999)])
def test_an_allowance_begins_anew_with_the_next_minute(now):
    process = Process(40)
    process.granted(41, now)
    assert process.use(now).rate.resets_at == later(minutes=1)
    assert process.granted(41, later(minutes=1)) == 40
    assert process.use(later(minutes=1)).rate.resets_at == later(minutes=2)


def test_what_was_taken_in_one_minute_is_not_good_in_the_next():
    process = Process(40)
    process.use()
    assert process.use(later(minutes=1)).is_fresh


@pytest.mark.parametrize("minutes", [2, 3, 1_000])
def test_a_counter_that_is_two_minutes_old_is_cleared_away_with_the_next_write_and_only_then(minutes):
    process = Process(40)
    first = process.remembered.next_lease(HASH, NOON)
    process.use()
    second = process.remembered.next_lease(HASH, later(minutes=minutes))
    process.use(later(minutes=minutes))
    third = process.remembered.next_lease(HASH, later(minutes=minutes))
    assert (first.left_over, second.left_over, third.left_over) == ((), (first.attribute,), ())
    assert first.attribute != second.attribute


@pytest.mark.parametrize("minutes", [1, 0, -1, -2])
def test_a_counter_at_whose_minute_another_clock_may_be_is_left_alone(minutes):
    process = Process(40)
    process.use()
    assert process.remembered.next_lease(HASH, later(minutes=minutes)).left_over == ()


def test_a_key_that_is_forgotten_is_looked_up_again():
    process = Process(40)
    process.use()
    process.remembered.forget(HASH)
    assert process.use().is_fresh


@EXAMPLES
@given(forgets=st.lists(st.booleans(), max_size=200))
def test_to_forget_a_key_is_no_way_around_its_rate(forgets):
    assert Process(40).granted_while_forgetting(forgets) <= 40


def test_to_forget_what_is_not_known_is_nothing():
    assert RememberedKeys(40).forget(HASH) is None


def test_one_key_takes_nothing_from_another():
    process = Process(40)
    process.granted(41)
    assert not process.use(key_hash="another").rate.is_exceeded


def test_the_key_that_was_taken_longest_ago_gives_way_to_the_thousand_and_first():
    process = Process(40)
    hashes = [str(number) for number in range(MOST_KEYS + 1)]
    fresh = [process.use(key_hash=key_hash).is_fresh for key_hash in hashes]
    assert all(fresh)
    assert not process.use(key_hash=hashes[1]).is_fresh
    assert process.use(key_hash=hashes[0]).is_fresh
