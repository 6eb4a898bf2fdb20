"""A pull request's title and text: whatever a task, an agent or a caller says stays within its fence or its code."""

from dataclasses import replace

import pytest
from builders import a_report, a_worked_run
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from outpost.api.pull_request import INLINE_CHARACTERS, QUOTED_CHARACTERS, TITLE_CHARACTERS, make_body, make_title
from outpost.domain.promotion import PromotionWish
from outpost.domain.report import CheckVerdict

# What GitHub takes for the text of a pull request.
MOST_CHARACTERS = 65_536
HARMLESS = "words"
MARKDOWN = MarkdownIt("commonmark").enable("table")
HOSTILE = st.text(st.sampled_from("``|@#\n\r\t\\[]()<>!*_~-\x0b\x0c\x85\u2028 a1"), min_size=1, max_size=60)
TEXTS = st.one_of(HOSTILE, st.text(min_size=1, max_size=60))


def a_checked_run(*, summary=HARMLESS, requested_by=HARMLESS, check=HARMLESS):
    """A run that was asked for by somebody, and checked."""
    report = a_report(check=CheckVerdict(True, 0, False, "ok", 10))
    result = replace(report.result, summary=summary)
    return a_worked_run(result=result, requested_by=requested_by, check=check, report=report)


def skeleton_of(body):
    """What a reader of Markdown sees there but the contents of fences and code, in order."""
    tokens = [each for token in MARKDOWN.parse(body) for each in (token, *(token.children or ()))]
    return [(token.type, token.content if token.type == "text" else None, token.info) for token in tokens]


def contents_of(body, kind):
    """The contents of all fences, or of all code within lines."""
    tokens = [each for token in MARKDOWN.parse(body) for each in (token, *(token.children or ()))]
    return [token.content for token in tokens if token.type == kind]


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_nothing_that_was_said_escapes_its_bounds(task, summary, requested_by, check):
    run = a_checked_run(summary=summary, requested_by=requested_by, check=check)
    body = make_body(PromotionWish(), run, task)
    assert skeleton_of(body) == skeleton_of(make_body(PromotionWish(), a_checked_run(), HARMLESS))


@pytest.mark.parametrize(
    "text",
    [
        "```\n@everyone ![](https://evil.example/x.png)\n```",
        "````\n```\n`````\n# a heading",
        "~~~\n@everyone",
        "`" * 40,
        "ends in backticks ```",
        "| a | row |\n|---|---|\n",
        "a line\r\r@everyone\r\n\r\n<img src=x>",
    ],
)
def test_a_hostile_text_is_shown_as_it_is(text):
    body = make_body(PromotionWish(), a_checked_run(summary=text), text)
    shown = text.replace("\r\n", "\n").replace("\r", "\n")
    assert contents_of(body, "fence") == [f"{shown}\n", f"{shown}\n"]


@pytest.mark.parametrize("name", ["@octocat", "a`b|c\nd\re\u2028f\x85g", "`", "``", "|", "\r", "\r\r@octocat", " "])
def test_what_stands_in_the_table_stays_in_its_row(name):
    body = make_body(PromotionWish(), a_checked_run(requested_by=name, check=name), HARMLESS)
    assert skeleton_of(body) == skeleton_of(make_body(PromotionWish(), a_checked_run(), HARMLESS))


def test_the_text_says_who_asked_what_came_of_it_and_at_what_price():
    run = a_checked_run(requested_by="Grace", check="make test")
    body = make_body(PromotionWish(), run, "Mend the login.")
    assert contents_of(body, "fence") == ["Mend the login.\n", "words\n"]
    assert contents_of(body, "code_inline") == ["Grace", "make test", run.run_id]
    assert "| Changes | 1 files, +2 -3 |" in body
    assert body.endswith(f"(https://api.example.com/dev/runs/{run.run_id}).")


def test_a_check_that_failed_is_told():
    failed = a_report(check=CheckVerdict(False, 1, False, "no", 10))
    assert "`make test`: failed" in make_body(PromotionWish(), a_worked_run(report=failed, check="make test"), "x")


def test_what_is_not_known_is_left_out():
    body = make_body(PromotionWish(), a_worked_run(result=None), "x")
    assert contents_of(body, "fence") == ["x\n"]
    assert "Requested by" not in body
    assert "Check" not in body


@pytest.mark.parametrize(
    "text", ["x" * 100_000, "`" * 100_000, "`\n" * 50_000, "é" * 100_000], ids=lambda text: text[:2]
)
def test_a_long_text_is_cut_and_the_whole_fits_the_host(text):
    body = make_body(PromotionWish(), a_checked_run(summary=text[:4_000], requested_by=text[:128], check=text), text)
    assert len(body) < MOST_CHARACTERS
    assert [len(content) for content in contents_of(body, "fence")] == [QUOTED_CHARACTERS + 3, 4_001]
    assert max(map(len, contents_of(body, "code_inline"))) == INLINE_CHARACTERS


def test_the_callers_own_text_stands_as_it_is_with_where_it_came_from():
    body = make_body(PromotionWish(body="Closes #7, cc @team"), a_worked_run(), "x")
    assert body.startswith("Closes #7, cc @team\n\nMade by the run [`")
    assert "### Task" not in body


@pytest.mark.parametrize(
    ("task", "title"),
    [
        ("Mend the login.\n\nIt is broken.", "Mend the login."),
        ("\n \t\n  Mend the login.  \nMore", "Mend the login."),
        ("Mend\tthe\x07login", "Mend the login"),
        ("\x1b[31mred", "[31mred"),
        ("Mend\u2028the login", "Mend"),
        ("\x01\n\x07", "The work of an agent"),
        ("x" * TITLE_CHARACTERS, "x" * TITLE_CHARACTERS),
        ("x" * 73, "x" * (TITLE_CHARACTERS - 1) + "…"),
        ("x" * 70 + " yyy", "x" * 70 + "…"),
    ],
)
def test_the_title_is_the_tasks_first_line(task, title):
    assert make_title(PromotionWish(), task) == title


@pytest.mark.parametrize(("asked", "title"), [(" Mine ", "Mine"), ("   ", "the task"), (None, "the task")])
def test_a_title_that_was_asked_for_stands_unless_it_is_blank(asked, title):
    assert make_title(PromotionWish(title=asked), "the task") == title


@given(TEXTS)
def test_a_title_is_one_bounded_line(task):
    title = make_title(PromotionWish(), task)
    assert len(title) <= TITLE_CHARACTERS
    assert len(title.splitlines()) == 1
