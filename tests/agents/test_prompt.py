"""What an agent's model begins with tells it where it is, and ends with the caller's own words."""

import pytest

from outpost_runner.context import EMPTY_CONTEXT, Context
from outpost_runner.prompt import make_prompt

NOTES = Context("<notes>\nUse tabs.\n</notes>", ())


@pytest.mark.parametrize("task", ["Do it.", "  /help me \n\n", "-p --yolo", "Task:\nanother", "@file {x} %s \\n $HOME"])
@pytest.mark.parametrize("context", [EMPTY_CONTEXT, NOTES])
def test_it_begins_with_words_of_its_own_and_ends_with_the_task_as_it_is(task, context):
    prompt = make_prompt(task, context, has_repository=True)
    assert prompt.startswith("You are a coding agent")
    assert prompt.endswith(f"\n\nTask:\n{task}")


def test_the_notes_stand_between_the_surroundings_and_the_task():
    prompt = make_prompt("Do it.", NOTES, has_repository=True)
    assert prompt.endswith(f"what you did.\n\n{NOTES.text}\n\nTask:\nDo it.")


def test_without_notes_there_is_no_place_for_them():
    assert make_prompt("Do it.", EMPTY_CONTEXT, has_repository=True).endswith("what you did.\n\nTask:\nDo it.")


WORDS = (
    "unattended",
    "nobody answers",
    "may do anything inside it",
    "uncommitted or committed",
    "cannot push",
    "OUTPOST_ARTIFACTS_DIR",
    "short summary",
)


@pytest.mark.parametrize("words", WORDS)
def test_it_says_how_the_agent_works(words):
    assert words in make_prompt("Do it.", EMPTY_CONTEXT, has_repository=True)


def test_it_says_whether_there_is_a_repository():
    with_it, without = (make_prompt("Do it.", EMPTY_CONTEXT, has_repository=has) for has in (True, False))
    assert "checkout of the repository" in with_it
    assert "directory is empty" not in with_it
    assert "directory is empty" in without
    assert "checkout of the repository" not in without
