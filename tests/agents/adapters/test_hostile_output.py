"""Output that no sane command line writes: nothing raises, nothing is lost, nothing grows."""

import json

import pytest

from outpost_runner.agents import find_adapter
from outpost_runner.redaction import Redactor

from .recordings import read_lines

JSON_AGENTS = ("claude", "codex", "gemini", "grok")
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize("agent", [*JSON_AGENTS, "aider"])
@pytest.mark.parametrize(
    "line",
    [
        "",
        "not JSON",
        "{",
        "[1, 2]",
        "null",
        "{}",
        '{"type": 5}',
        '{"type": null}',
        '{"type": "assistant", "message": {"content": {"a": 1}}}',
        '{"type": "assistant", "message": {"content": ["text"]}}',
        '{"type": "result", "subtype": 7}',
        '{"type": "result", "status": ["success"]}',
        '{"type": "item.started", "item": {"type": "command_execution", "command": 5}}',
        '{"type": "item.completed", "item": []}',
        '{"type": "turn.failed", "error": "text"}',
        '{"type": "message", "role": 3}',
        '{"type": "message", "role": "assistant", "content": null}',
        '{"type": "tool_use", "tool_name": {}}',
        '{"type": "tool_call", "toolName": false}',
        '{"type": "text", "data": 1e400}',
        '{"type": "error", "message": NaN}',
        '{"type": "end", "stopReason": {}}',
        '{"a":' * 20_000,
        "{" + '"n": ' + "9" * 5000 + "}",
    ],
)
def test_a_line_that_makes_no_sense_is_shown_or_left_out_and_proves_no_end(agent: str, line: str) -> None:
    reading = read_lines(agent, line)

    assert reading.shown in ([line], [])
    assert reading.account.complaint is not None


@pytest.mark.parametrize("agent", JSON_AGENTS)
@pytest.mark.parametrize("line", ["plain words", '{"type": 5}', "[1, 2]", '{"a":' * 20_000])
def test_what_is_no_event_is_shown_unchanged(agent: str, line: str) -> None:
    assert read_lines(agent, line).shown == [line]


@pytest.mark.parametrize("agent", JSON_AGENTS)
def test_events_on_stderr_prove_nothing(agent: str) -> None:
    line = '{"type": "result", "subtype": "success", "status": "success", "result": "x"}'

    assert read_lines(agent, line, stream="stderr").account.complaint is not None


def test_half_characters_are_made_whole_or_replaced() -> None:
    pieces = [r'{"type": "text", "data": "\ud83d"}', r'{"type": "text", "data": "\ude00 \udc00"}']
    reading = read_lines("grok", *pieces)

    assert reading.shown == ["😀 \N{REPLACEMENT CHARACTER}"]
    assert reading.account.summary == "😀 \N{REPLACEMENT CHARACTER}"


def test_words_without_a_line_end_are_shown_in_pieces_and_none_is_lost() -> None:
    piece = json.dumps({"type": "text", "data": "x" * 1000})
    shown = read_lines("grok", *[piece] * 100).shown

    assert "".join(shown) == "x" * 100_000
    assert max(map(len, shown)) <= 8192


def test_a_summary_is_bounded() -> None:
    piece = json.dumps({"type": "text", "data": "x" * 1000})
    summary = read_lines("grok", *[piece] * 100).account.summary

    assert summary == "x" * 4000


def test_an_error_is_bounded() -> None:
    reading = read_lines("codex", json.dumps({"type": "turn.failed", "error": {"message": "x " * MEGABYTE}}))

    assert len(reading.shown[0]) == 502
    assert reading.account.complaint == reading.shown[0].removeprefix("! ")


@pytest.mark.parametrize("agent", JSON_AGENTS)
def test_an_event_that_comes_in_pieces_is_left_out_with_a_word(agent: str) -> None:
    longest = find_adapter(agent).make_reader(Redactor()).longest_line
    pieces = ['{"type": "user", "' + "x" * (longest - 18), "y" * longest, '"}']

    shown = read_lines(agent, *pieces, "after it").shown

    assert shown == ["An event of over 1048576 characters is left out here.", "after it"]


def test_an_event_after_pieces_is_read_although_their_end_never_came() -> None:
    longest = find_adapter("codex").make_reader(Redactor()).longest_line
    pieces = ["{" + "x" * (longest - 1), "y" * longest]

    assert read_lines("codex", *pieces, '{"type": "turn.completed"}').account.complaint is None
