"""What single events of each agent are shown as, and what they say of its end."""

import json
from typing import Any

import pytest

from .recordings import Reading, read_lines

CLAUDE_DONE = {"type": "result", "subtype": "success", "is_error": False, "result": "Done."}
GEMINI_DONE = {"type": "result", "status": "success"}
GROK_DONE = {"type": "end", "stopReason": "end_turn"}
CODEX_DONE = {"type": "turn.completed"}


def read_events(agent: str, *events: dict[str, Any]) -> Reading:
    return read_lines(agent, *(json.dumps(event) for event in events))


def claude_says(*blocks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "assistant", "message": {"content": list(blocks)}, **fields}


def gemini_says(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": text, "delta": True}


def codex_item(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"item.{kind}", "item": fields}


def test_words_are_split_into_lines() -> None:
    reading = read_events("claude", claude_says({"type": "text", "text": "First.\r\n\nThird."}))

    assert reading.shown == ["First.", "", "Third."]


def test_pieces_of_a_message_are_joined_into_whole_lines() -> None:
    pieces = [gemini_says("Fir"), gemini_says("st.\nSec"), gemini_says("ond.\nThird.")]

    assert read_events("gemini", *pieces, GEMINI_DONE).shown == ["First.", "Second.", "Third."]


def test_a_tool_call_ends_a_message() -> None:
    tool = {"type": "tool_call", "toolName": "grep", "rawInput": {"pattern": "x"}}
    reading = read_events(
        "grok", {"type": "text", "data": "I look."}, tool, {"type": "text", "data": "Found."}, GROK_DONE
    )

    assert reading.shown == ["I look.", "> grep: x", "Found."]
    assert reading.account.summary == "Found."


def test_two_answers_of_a_model_are_two_messages() -> None:
    first, second = {"type": "text", "data": "One."}, {"type": "text", "data": "Two."}

    assert read_events("grok", first, {"type": "usage"}, second, GROK_DONE).shown == ["One.", "Two."]


def test_what_the_model_thinks_is_not_shown() -> None:
    thinking = claude_says({"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes."})

    assert read_events("claude", thinking).shown == ["Yes."]


def test_a_long_command_is_cut_to_one_short_line() -> None:
    command = {"type": "tool_use", "name": "Bash", "input": {"command": "cat <<END\n" + "x" * 9000}}
    (line,) = read_events("claude", claude_says(command)).shown

    assert line.startswith("> Bash: cat <<END xxx")
    assert len(line) == 202


def test_control_characters_of_a_command_do_not_reach_the_terminal() -> None:
    command = {"type": "tool_use", "name": "Bash", "input": {"command": "echo \x1b[2J\x07hi"}}

    assert read_events("claude", claude_says(command)).shown == ["> Bash: echo [2J hi"]


def test_a_tool_without_a_subject_is_shown_by_its_name() -> None:
    tools = claude_says(
        {"type": "tool_use", "name": "TaskList", "input": {}},
        {"type": "tool_use", "name": "Odd", "input": {"command": ["not", "text"]}},
    )

    assert read_events("claude", tools).shown == ["> TaskList", "> Odd"]


@pytest.mark.parametrize(
    ("agent", "event", "line"),
    [
        (
            "claude",
            {
                "type": "user",
                "message": {"content": [{"type": "tool_result", "is_error": True, "content": "Exit code 3\noops"}]},
            },
            "! The tool failed: Exit code 3 oops",
        ),
        (
            "codex",
            codex_item("completed", type="command_execution", command="x", exit_code=3),
            "! The command failed: exit code 3",
        ),
        ("codex", codex_item("completed", type="file_change", changes=[], status="failed"), "! The change is failed."),
        (
            "gemini",
            {"type": "tool_result", "status": "error", "error": {"type": "t", "message": "File not found"}},
            "! The tool failed: File not found",
        ),
        ("grok", {"type": "tool_call_update", "toolCallId": "call_1", "status": "failed"}, "! The tool failed."),
    ],
)
def test_a_failed_tool_is_one_line_and_no_complaint(agent: str, event: dict[str, Any], line: str) -> None:
    reading = read_events(agent, event)

    assert reading.shown == [line]
    assert reading.account.complaint == "It ended without a result."


@pytest.mark.parametrize(
    ("item", "line"),
    [
        ({"type": "command_execution", "command": "/usr/bin/bash -lc 'make test'"}, "> shell: make test"),
        (
            {"type": "command_execution", "command": "/usr/bin/bash -lc 'unclosed"},
            "> shell: /usr/bin/bash -lc 'unclosed",
        ),
        ({"type": "command_execution", "command": "python3 -V"}, "> shell: python3 -V"),
        ({"type": "file_change", "changes": [{"path": "a.py", "kind": "update"}]}, "> update: a.py"),
        ({"type": "mcp_tool_call", "server": "docs", "tool": "search"}, "> docs: search"),
    ],
)
def test_what_codex_begins_is_shown(item: dict[str, Any], line: str) -> None:
    assert read_events("codex", codex_item("started", **item)).shown == [line]


def test_a_result_that_was_not_said_before_is_shown() -> None:
    assert read_events("claude", CLAUDE_DONE).shown == ["Done."]


def test_a_result_without_words_is_explained_by_its_kind() -> None:
    result = {"type": "result", "subtype": "error_during_execution", "is_error": True}

    assert read_events("claude", result).account.complaint == "Claude Code ended with error_during_execution."


def test_a_result_of_gemini_without_words_is_explained_by_the_error_before() -> None:
    error = {"type": "error", "severity": "error", "message": "Model stream ended without a finish reason."}
    reading = read_events("gemini", error, {"type": "result", "status": "error"})

    assert reading.shown == ["! Model stream ended without a finish reason."]
    assert reading.account.complaint == "Model stream ended without a finish reason."


def test_grok_that_stops_for_another_reason_than_its_end_did_not_finish() -> None:
    reading = read_events("grok", {"type": "end", "stopReason": "max_tokens"})

    assert reading.account.complaint == "Grok stopped: max_tokens."


@pytest.mark.parametrize(
    ("agent", "events"),
    [
        (
            "claude",
            [
                {"type": "system", "subtype": "api_retry", "attempt": 1, "max_retries": 2, "error": "overloaded"},
                CLAUDE_DONE,
            ],
        ),
        ("codex", [{"type": "error", "message": "Reconnecting... 1/2"}, CODEX_DONE]),
        ("gemini", [{"type": "error", "severity": "warning", "message": "Slow."}, GEMINI_DONE]),
    ],
)
def test_trouble_that_passed_is_no_complaint(agent: str, events: list[dict[str, Any]]) -> None:
    assert read_events(agent, *events).account.complaint is None


def test_trouble_that_work_followed_does_not_explain_the_end() -> None:
    trouble = {"type": "error", "message": "Reconnecting... 1/2"}
    work = codex_item("completed", type="agent_message", text="On it.")

    assert read_events("codex", trouble, work).account.complaint == "It ended without a result."


@pytest.mark.parametrize("agent", ["claude", "codex", "gemini", "grok"])
def test_a_command_line_that_never_began_is_explained_by_its_last_words(agent: str) -> None:
    reading = read_lines(agent, "Invalid auth method selected.", "", stream="stderr")

    assert reading.shown == ["Invalid auth method selected.", ""]
    assert reading.account.complaint == "It ended without a result. Its last line was: Invalid auth method selected."


def test_an_error_of_aider_that_an_answer_followed_is_no_complaint() -> None:
    lines = ["Repo-map: disabled", "half anlitellm.APIConnectionError: cut", "Retrying in 0.2 seconds...", "Done."]
    account = read_lines("aider", *lines, "Tokens: 2.0k sent, 2 received.").account

    assert (account.summary, account.complaint) == ("Done.", None)


@pytest.mark.parametrize(
    "line", ["Model deepseek/deepseek-coder has hit a token limit!", "Only 3 reflections allowed, stopping."]
)
def test_aider_that_gave_up_did_not_finish(line: str) -> None:
    assert read_lines("aider", "Tokens: 2.0k sent, 2 received.", line).account.complaint == line
