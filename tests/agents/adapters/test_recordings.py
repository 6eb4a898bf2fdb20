"""What a person reads of real output, and what the agent's account makes of it."""

import pytest

from .recordings import read_recording

JSON_AGENTS = ("claude", "codex", "gemini", "grok")
SAID = "All done: README.md edited, file made."
UNKNOWN_MODEL = (
    "! Model metadata for `gpt-5.2-codex` not found. "
    "Defaulting to fallback metadata; this can degrade performance and cause issues."
)
QUOTA = (
    "[API Error: slow down] Please wait and try again later. To increase your limits, "
    "request a quota increase through AI Studio, or switch to another /auth method"
)
REFUSED = "unexpected status 401 Unauthorized: invalid x-api-key, url: http://127.0.0.1:8080/v1/responses"
RATE_LIMITED = (
    "litellm.RateLimitError: RateLimitError: DeepseekException - "
    '{"error": {"message": "slow down", "type": "requests", "param": null, "code": "rate_limit_exceeded"}}'
)


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        (
            "claude",
            [
                "> Read: /task/workspace/README.md",
                "> Edit: /task/workspace/README.md",
                "> Write: /task/workspace/made-by-agent.txt",
                SAID,
            ],
        ),
        (
            "codex",
            [
                UNKNOWN_MODEL,
                "> shell: cat /task/workspace/README.md",
                "> shell: sed -i 's/old words/new words/' /task/workspace/README.md",
                "> shell: printf %s 'written by the agent ' > /task/workspace/made-by-agent.txt",
                SAID,
            ],
        ),
        (
            "gemini",
            [
                "> read_file: /task/workspace/README.md",
                "> replace: /task/workspace/README.md",
                "> write_file: /task/workspace/made-by-agent.txt",
                SAID,
            ],
        ),
        (
            "grok",
            [
                "> read_file: /task/workspace/README.md",
                "> search_replace: /task/workspace/README.md",
                "> write: /task/workspace/made-by-agent.txt",
                SAID,
            ],
        ),
    ],
)
def test_a_success_shows_each_tool_in_one_line_and_the_words_whole(agent: str, shown: list[str]) -> None:
    reading = read_recording(f"{agent}-success")

    assert reading.shown == shown


@pytest.mark.parametrize("agent", JSON_AGENTS)
def test_the_summary_of_a_success_is_the_last_message(agent: str) -> None:
    account = read_recording(f"{agent}-success").account

    assert (account.summary, account.complaint) == (SAID, None)


def test_the_summary_of_aider_leaves_out_the_edits() -> None:
    account = read_recording("aider-success").account

    assert (account.summary, account.complaint) == ("Applied edit to README.md", None)


def test_aider_is_shown_without_its_estimates_of_tokens() -> None:
    shown = read_recording("aider-success").shown

    assert shown[1] == "Aider v0.86.2"
    assert shown[-1] == "Applied edit to README.md"
    assert not [line for line in shown if line.startswith("Tokens:")]


@pytest.mark.parametrize(
    ("recording", "complaint"),
    [
        ("claude-unauthorized", "Invalid API key · Fix external API key"),
        ("claude-rate-limited", "API Error: Request rejected (429) · slow down"),
        ("claude-cut", "It ended without a result."),
        ("codex-unauthorized", REFUSED),
        ("codex-rate-limited", "exceeded retry limit, last status: 429 Too Many Requests"),
        ("codex-outage", "Selected model is at capacity. Please try a different model."),
        ("codex-cut", "It ended without a result."),
        (
            "gemini-unauthorized",
            '[API Error: {"error":{"code":401,"message":"invalid x-api-key","status":"UNAUTHENTICATED"}}]',
        ),
        ("gemini-rate-limited", QUOTA),
        ("gemini-outage", "[API Error: no healthy upstream]"),
        ("gemini-cut", "It ended without a result."),
        ("grok-rate-limited", "requests: slow down"),
        (
            "grok-outage",
            'Internal error: { "message": "API error (status 503 Service Unavailable): no healthy upstream", '
            '"http_status": 503 }',
        ),
        ("grok-cut", "It ended without a result."),
        ("aider-rate-limited", RATE_LIMITED),
        ("aider-cut", "The model gave no answer. Aider's last line was: I begin and then say"),
    ],
)
def test_the_complaint_is_in_the_words_of_the_command_line(recording: str, complaint: str) -> None:
    assert read_recording(recording).account.complaint == complaint


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        ("claude-outage", "API Error: 503 no healthy upstream."),
        ("grok-unauthorized", 'Internal error: "Unauthorized (401) from http://127.0.0.1:8080/v1/chat/completions'),
        (
            "aider-unauthorized",
            'litellm.BadRequestError: DeepseekException - {"error": {"message": "invalid x-api-key"',
        ),
        ("aider-outage", "litellm.ServiceUnavailableError: ServiceUnavailableError: DeepseekException"),
    ],
)
def test_a_long_complaint_begins_with_the_reason(recording: str, words: str) -> None:
    complaint = read_recording(recording).account.complaint

    assert complaint is not None
    assert complaint.startswith(words)


@pytest.mark.parametrize(
    ("recording", "shown"),
    [
        (
            "claude-unauthorized",
            [
                "! The model call failed (authentication_failed); retry 1 of 2.",
                "! The model call failed (authentication_failed); retry 2 of 2.",
                "! Invalid API key · Fix external API key",
            ],
        ),
        (
            "codex-rate-limited",
            [
                UNKNOWN_MODEL,
                "! Reconnecting... 1/2 (exceeded retry limit, last status: 429 Too Many Requests)",
                "! Reconnecting... 2/2 (exceeded retry limit, last status: 429 Too Many Requests)",
                "! exceeded retry limit, last status: 429 Too Many Requests",
            ],
        ),
        (
            "gemini-rate-limited",
            [
                "Attempt 1 failed with status 429. Retrying with backoff... _ApiError: "
                '{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}',
                "Attempt 2 failed with status 429. Retrying with backoff... _ApiError: "
                '{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}',
                "Attempt 3 failed: slow down. Max attempts reached",
                "Error when talking to Gemini API Full report available at: /task/tmp/gemini-client-error-"
                "Turn.run-sendMessageStream-2026-01-01T00:00:00.000Z.json RetryableQuotaError: slow down",
                f"! {QUOTA}",
            ],
        ),
        ("grok-rate-limited", ["! requests: slow down"]),
    ],
)
def test_retries_and_errors_are_short_lines_that_come_once(recording: str, shown: list[str]) -> None:
    assert read_recording(recording).shown == shown


@pytest.mark.parametrize(
    ("recording", "words"),
    [("gemini-cut", "I begin and then say nothing f"), ("grok-cut", "I begin and then say")],
)
def test_words_that_were_cut_off_are_shown_and_summarized(recording: str, words: str) -> None:
    reading = read_recording(recording)

    assert reading.shown == [words]
    assert reading.account.summary == words
