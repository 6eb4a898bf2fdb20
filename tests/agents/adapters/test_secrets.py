"""A secret that an agent's events tell in pieces or in odd escapes is hidden whole before anything is cut."""

import json
from collections.abc import Iterator

import pytest

from .recordings import Reading, read_lines

SECRET = "sk-provider-0123456789-abcdefghij"
LONGEST_LINE = 8192
LONGEST_SUMMARY = 4000
STREAMING = {
    "gemini": (
        lambda text: {"type": "message", "role": "assistant", "content": text, "delta": True},
        {"type": "result", "status": "success"},
    ),
    "grok": (lambda text: {"type": "text", "data": text}, {"type": "end", "stopReason": "end_turn"}),
}


def cut(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


def stream(agent: str, text: str, size: int = 5) -> Reading:
    """What is read of an agent that says the text in pieces of this size."""
    tell, end = STREAMING[agent]
    events = [*map(tell, cut(text, size)), end]
    return read_lines(agent, *map(json.dumps, events), secret=SECRET)


def odd(text: str) -> str:
    """As no encoder of JSON spells it, and as every decoder reads it."""
    return "".join(f"\\u{ord(character):04x}" for character in text)


@pytest.mark.parametrize("agent", STREAMING)
def test_a_secret_in_pieces_is_hidden_in_the_log_and_in_the_summary(agent: str) -> None:
    reading = stream(agent, f"The key is {SECRET}.\nDone.")

    assert reading.shown == ["The key is [redacted].", "Done."]
    assert reading.account.summary == "The key is [redacted].\nDone."


@pytest.mark.parametrize("agent", STREAMING)
@pytest.mark.parametrize("before", range(LONGEST_LINE - len(SECRET), LONGEST_LINE + 1, 8))
def test_a_secret_across_the_cut_of_a_long_line_is_hidden(agent: str, before: int) -> None:
    reading = stream(agent, "x" * before + SECRET + "y" * LONGEST_LINE)

    assert "".join(reading.shown) == "x" * before + "[redacted]" + "y" * LONGEST_LINE


@pytest.mark.parametrize("agent", STREAMING)
@pytest.mark.parametrize("after", ["", "y" * LONGEST_LINE, "\nmore\n"])
@pytest.mark.parametrize("before", range(LONGEST_SUMMARY - len(SECRET), LONGEST_SUMMARY + 1, 8))
def test_a_secret_across_the_cut_of_the_summary_is_hidden(agent: str, before: int, after: str) -> None:
    summary = stream(agent, "x" * before + SECRET + after).account.summary

    assert summary == ("x" * before + "[redacted]" + after)[:LONGEST_SUMMARY].strip()


def test_a_secret_across_the_cut_of_a_command_is_hidden() -> None:
    command = f"""{{"command": "{"x" * 180} {odd(SECRET)}"}}"""
    reading = read_lines("grok", f'{{"type": "tool_call", "toolName": "sh", "rawInput": {command}}}', secret=SECRET)

    assert reading.shown == [f"> sh: {'x' * 180} [redacted]"]


def test_a_secret_across_the_cut_of_an_error_is_hidden() -> None:
    event = f"""{{"type": "turn.failed", "error": {{"message": "{"x" * 480} {odd(SECRET)}"}}}}"""
    reading = read_lines("codex", event, secret=SECRET)

    assert reading.shown == [f"! {'x' * 480} [redacted]"]
    assert reading.account.complaint == f"{'x' * 480} [redacted]"


def test_a_result_with_a_secret_that_was_said_before_is_not_said_again() -> None:
    text = f"The key is {SECRET}.\r\nDone."
    said = {"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}}
    result = {"type": "result", "subtype": "success", "is_error": False, "result": text}
    reading = read_lines("claude", json.dumps(said), json.dumps(result), secret=SECRET)

    assert reading.shown == ["The key is [redacted].", "Done."]
