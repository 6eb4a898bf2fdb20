"""Whom a text names, as git writes people down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outpost.domain.person import MOST_CHARACTERS, Person, read_person

GRACE = Person("Grace Hopper", "grace@example.com")


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Grace Hopper <grace@example.com>", GRACE),
        ("  Grace Hopper   <grace@example.com>  ", GRACE),
        ("grace@example.com", Person("grace", "grace@example.com")),
        (" grace@example.com\n", Person("grace", "grace@example.com")),
        ("Zoë 李 <z.l+git@mail.example.org>", Person("Zoë 李", "z.l+git@mail.example.org")),
        ("O'Brien, Pat (ops) <o'brien@example.com>", Person("O'Brien, Pat (ops)", "o'brien@example.com")),
        ("12345+octocat@users.noreply.github.com", Person("12345+octocat", "12345+octocat@users.noreply.github.com")),
    ],
)
def test_a_name_with_an_address_or_an_address_alone_is_a_person(text, person):
    assert read_person(text) == person


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user-17",
        "Grace Hopper",
        "<grace@example.com>",
        "  <grace@example.com>",
        "Grace Hopper grace@example.com",
        "Grace Hopper <grace@localhost>",
        "Grace Hopper <grace@example.com> and more",
        "Grace Hopper <grace@example.com",
        "Grace <Hopper> <grace@example.com>",
        "Grace Hopper <grace hopper@example.com>",
        "Grace Hopper <grace@example.com\n>",
        "Grace\nSigned-off-by: Eve <eve@example.com>",
        "Grace\rHopper <grace@example.com>",
        "Grace\u2028Hopper <grace@example.com>",
        "Grace\u202eHopper <grace@example.com>",
        "Grace\0 <grace@example.com>",
        "Grace\ud800 <grace@example.com>",
        "@example.com",
        "grace@example..com",
    ],
)
def test_any_other_text_is_nobody(text):
    assert read_person(text) is None


def test_a_text_beyond_all_measure_is_nobody():
    assert read_person("G" * MOST_CHARACTERS + " <grace@example.com>") is None


@given(st.one_of(st.text(), st.builds("{} <{}@{}.org>".format, st.text(), st.text(), st.text())))
def test_whoever_it_is_stays_within_a_line_and_its_brackets(text):
    person = read_person(text) or GRACE
    line = f"Co-authored-by: {person.name} <{person.email}>"
    assert line.isprintable()
    assert (line.count("<"), line.count(">")) == (1, 1)
    assert person.name.strip() == person.name != ""
