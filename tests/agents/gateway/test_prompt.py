"""A prompt is estimated by its text, and by the kind of what is attached to it."""

import pytest

from outpost_runner.gateway.prompt import DOCUMENT_TOKENS, IMAGE_TOKENS, Prompt
from outpost_runner.gateway.protocols import (
    ANTHROPIC_MESSAGES,
    DEEPSEEK_CHAT_COMPLETIONS,
    GOOGLE_GENERATE_CONTENT,
    OPENAI_CHAT_COMPLETIONS,
    OPENAI_RESPONSES,
)
from outpost_runner.gateway.usage import Usage

CONTENT = "A" * 4_000_000
IMAGE = "data:image/png;base64," + CONTENT


def read_prompt(protocol, body_bytes, fields):
    parts = protocol.form.list_parts(fields)
    return Prompt.of(body_bytes, (found for part in parts for found in protocol.form.find_attachments(part)))


@pytest.mark.parametrize(
    ("protocol", "part"),
    [
        (ANTHROPIC_MESSAGES, {"source": {"type": "base64", "media_type": "image/png", "data": CONTENT}}),
        (GOOGLE_GENERATE_CONTENT, {"inlineData": {"mimeType": "image/png", "data": CONTENT}}),
        (GOOGLE_GENERATE_CONTENT, {"inline_data": {"mime_type": "image/png", "data": CONTENT}}),
        (OPENAI_RESPONSES, {"type": "input_image", "image_url": IMAGE}),
        (OPENAI_CHAT_COMPLETIONS, {"type": "image_url", "image_url": {"url": IMAGE}}),
    ],
)
def test_an_image_counts_the_same_however_large_its_file_is(protocol, part):
    prompt = read_prompt(protocol, 4_000_400, {"items": [{"content": [part]}]})
    assert IMAGE_TOKENS < prompt.tokens <= IMAGE_TOKENS + 100
    assert prompt.least.total_tokens <= 25


@pytest.mark.parametrize(
    ("protocol", "part"),
    [
        (ANTHROPIC_MESSAGES, {"source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}}),
        (GOOGLE_GENERATE_CONTENT, {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}}),
        (OPENAI_RESPONSES, {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA"}),
        (OPENAI_RESPONSES, {"type": "input_file", "file_data": "AAAA"}),
        (OPENAI_CHAT_COMPLETIONS, {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
    ],
)
def test_a_small_document_may_hold_a_great_many_pages(protocol, part):
    prompt = read_prompt(protocol, 100, {"items": [part]})
    assert DOCUMENT_TOKENS < prompt.tokens <= DOCUMENT_TOKENS + 25


def test_a_large_document_counts_by_its_size():
    blob = {"inlineData": {"mimeType": "text/plain", "data": CONTENT}}
    assert read_prompt(GOOGLE_GENERATE_CONTENT, 4_000_000, {"parts": [blob]}) == Prompt(0, 1_000_000)


def test_the_text_of_a_document_is_text():
    source = {"type": "text", "media_type": "text/plain", "data": "A" * 400}
    assert read_prompt(ANTHROPIC_MESSAGES, 400, {"source": source}) == Prompt(400)


def test_a_prompt_counts_for_little_at_least_and_out_of_a_cache():
    assert Prompt(1_600, attached_tokens=7).least == Usage(cached_input_tokens=100)


@pytest.mark.parametrize(
    ("protocol", "fields", "most"),
    [
        (ANTHROPIC_MESSAGES, {"max_tokens": 7}, 7),
        (OPENAI_RESPONSES, {"max_output_tokens": 7}, 7),
        (OPENAI_CHAT_COMPLETIONS, {"max_tokens": 7, "max_completion_tokens": 9}, 9),
        (DEEPSEEK_CHAT_COMPLETIONS, {"max_tokens": 7, "max_completion_tokens": 9}, 7),
        (GOOGLE_GENERATE_CONTENT, {"generationConfig": {"maxOutputTokens": 7}}, 7),
        (GOOGLE_GENERATE_CONTENT, {"generation_config": {"max_output_tokens": 7}}, 7),
        (GOOGLE_GENERATE_CONTENT, {"maxOutputTokens": 7}, None),
        (ANTHROPIC_MESSAGES, {"generationConfig": {"max_tokens": 7}}, None),
        (ANTHROPIC_MESSAGES, {"max_tokens": True}, None),
        (ANTHROPIC_MESSAGES, {"max_tokens": "7"}, None),
        (ANTHROPIC_MESSAGES, {"max_tokens": 0}, None),
    ],
)
def test_an_answer_is_limited_where_its_provider_reads_it(protocol, fields, most):
    assert protocol.form.find_most_output(fields) == most
