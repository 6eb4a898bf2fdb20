"""What git says of conflicts is read file by file, also where it says more than is read."""

import io

from outpost_runner.promotion.patched_tree import MAX_LISTING_BYTES, UNTOLD, read_conflicts

CONTENTS = "The base branch and the run changed the same part of it in different ways."
MESSAGE = ("1", "b", "CONFLICT (contents)", "CONFLICT (content): Merge conflict in b\n")


def listing(*fields, is_too_long=False):
    """A list as git writes it; one that is too long goes on in the middle of its last field."""
    text = "\0".join(fields).encode()
    return io.BytesIO(text.ljust(MAX_LISTING_BYTES + 1, b"x") if is_too_long else text + b"\0")


def read(*fields, **options):
    return [(conflict.path, conflict.reason) for conflict in read_conflicts(listing(*fields, **options))]


def test_a_whole_list_has_the_files_that_git_says_something_of():
    assert read("tree", "a", "b", "", "1", "a", "Auto-merging", "Auto-merging a\n", *MESSAGE) == [("b", CONTENTS)]


def test_of_a_list_that_ends_among_the_files_those_before_are_told():
    assert read("tree", "a", "b", "c", is_too_long=True) == [("a", UNTOLD), ("b", UNTOLD)]


def test_of_a_list_that_ends_among_the_messages_every_file_is_told():
    told = read("tree", "a", "b", "", *MESSAGE, "1", "a", "CONFL", is_too_long=True)
    assert told == [("a", UNTOLD), ("b", CONTENTS)]


def test_a_list_that_ends_in_a_message_names_no_half_of_a_file():
    told = read("tree", "a", "b", "", "3", "a", "b", "c", is_too_long=True)
    assert told == [("a", UNTOLD), ("b", UNTOLD)]


def test_a_list_of_one_endless_name_is_none():
    assert read("tree", "a", is_too_long=True) == []
