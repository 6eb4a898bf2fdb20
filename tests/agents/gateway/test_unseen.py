"""What its body does not show of a call is refused: nobody could say beforehand what it may come to."""

import pytest

from .dialects import DIALECTS, Tokens
from .scripted_provider import whole

TOKENS = Tokens(fresh=10, visible=2)
ADDRESS = "https://example.com/file"
# What stands in these is a schema, or what a tool was called with: no provider acts upon it.
LIKE_POINTERS = {
    "file_id": "a",
    "file_url": ADDRESS,
    "image_url": ADDRESS,
    "conversation": "a",
    "fileData": {"fileUri": ADDRESS},
    "cachedContent": "a",
    "source": {"type": "url"},
    "tools": [{"type": "web_search"}],
}


def blocks(*contents):
    return {"messages": [{"role": "user", "content": list(contents)}]}


def parts(*contents):
    return {"contents": [{"role": "user", "parts": list(contents)}]}


def items(*contents):
    return {"input": list(contents)}


def image(source):
    return {"type": "image", "source": source}


@pytest.fixture
def ask(provider, open_gateway, make_caller):
    """The answer to a call of a dialect with these fields in its body."""

    def ask_it(name, fields):
        dialect = DIALECTS[name]
        provider.replies.append(whole(dialect, TOKENS))
        return make_caller(open_gateway(dialect)).ask(dialect, stream=False, **fields)

    return ask_it


@pytest.mark.parametrize(
    ("name", "fields", "pointer"),
    [
        ("anthropic", blocks(image({"type": "url", "url": ADDRESS})), "the source url"),
        ("anthropic", blocks(image({"type": "file", "file_id": "file_1"})), "the source file"),
        (
            "anthropic",
            blocks({"type": "tool_result", "content": [image({"type": "url", "url": ADDRESS})]}),
            "the source url",
        ),
        ("responses", {"previous_response_id": "resp_1"}, "previous_response_id"),
        ("responses", {"conversation": "conv_1"}, "conversation"),
        ("responses", {"conversation": {"id": "conv_1"}}, "conversation"),
        ("responses", items({"type": "item_reference", "id": "msg_1"}), "an item by its id"),
        ("responses", items({"id": "msg_1"}), "an item by its id"),
        ("responses", items({"type": "reasoning", "id": "rs_1", "summary": [{"text": "a"}]}), "an item by its id"),
        ("responses", items({"content": [{"type": "input_file", "file_url": ADDRESS}]}), "file_url"),
        ("responses", items({"content": [{"type": "input_file", "file_id": "file_1"}]}), "file_id"),
        ("responses", items({"content": [{"type": "input_image", "image_url": ADDRESS}]}), "image_url"),
        ("responses", items({"output": [{"type": "input_image", "image_url": ADDRESS}]}), "image_url"),
        ("chat", blocks({"type": "image_url", "image_url": {"url": ADDRESS}}), "image_url"),
        ("chat", blocks({"type": "file", "file": {"file_id": "file_1"}}), "file_id"),
        ("xai", blocks({"type": "image_url", "image_url": {"url": ADDRESS}}), "image_url"),
        ("google", {"cachedContent": "cachedContents/a"}, "cachedContent"),
        ("google", {"cached_content": "cachedContents/a"}, "cached_content"),
        ("google", parts({"fileData": {"fileUri": ADDRESS}}), "fileData"),
        ("google", parts({"file_data": {"file_uri": ADDRESS}}), "file_data"),
        ("google", parts({"functionResponse": {"parts": [{"fileData": {"fileUri": ADDRESS}}]}}), "fileData"),
        ("google", {"systemInstruction": {"parts": [{"fileData": {"fileUri": ADDRESS}}]}}, "fileData"),
    ],
)
def test_a_prompt_that_is_only_pointed_at_is_refused(name, fields, pointer, ask, provider):
    answer = ask(name, fields)
    assert answer.status == 400
    assert f"not to point at a part of it: {pointer}." in answer.fields["error"]["message"]
    assert provider.seen == []


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("anthropic", blocks(image({"type": "base64", "media_type": "image/png", "data": "AAAA"}))),
        ("anthropic", blocks({"type": "search_result", "source": ADDRESS, "content": []})),
        ("anthropic", blocks({"type": "tool_use", "input": LIKE_POINTERS})),
        ("anthropic", {"tools": [{"name": "mine", "input_schema": {"properties": LIKE_POINTERS}}]}),
        ("responses", items({"type": "message", "id": "msg_1", "role": "user", "content": []})),
        ("responses", items({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "AAAA"})),
        ("responses", items({"type": "function_call_output", "id": "fco_1", "call_id": "call_1", "output": ""})),
        ("responses", items({"type": "tool_search_call", "id": "ts_1", "arguments": LIKE_POINTERS})),
        ("responses", items({"content": [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]})),
        ("responses", {"tools": [{"type": "function", "parameters": {"properties": LIKE_POINTERS}}]}),
        ("responses", {"text": {"format": {"schema": {"properties": LIKE_POINTERS}}}}),
        ("responses", {"previous_response_id": None, "client_metadata": {"conversation": "a"}}),
        ("chat", {"tools": [{"type": "function", "function": {"parameters": LIKE_POINTERS}}]}),
        ("google", parts({"functionCall": {"args": LIKE_POINTERS}})),
        ("google", parts({"functionResponse": {"response": LIKE_POINTERS}})),
        ("google", {"tools": [{"functionDeclarations": [{"parametersJsonSchema": LIKE_POINTERS}]}]}),
        ("google", {"generationConfig": {"responseJsonSchema": LIKE_POINTERS}}),
    ],
)
def test_a_prompt_that_is_sent_whole_passes(name, fields, ask):
    assert ask(name, fields).status == 200


@pytest.mark.parametrize(("name", "field"), [("responses", "background"), ("xai", "deferred")])
def test_an_answer_that_comes_later_is_refused(name, field, ask, provider):
    answer = ask(name, {field: True})
    assert answer.status == 400
    assert answer.fields["error"]["message"] == f"An answer that comes later cannot be counted: {field}."
    assert provider.seen == []


def test_a_pointer_is_found_however_deep_it_is(ask, provider):
    nested = {"type": "tool_result", "content": image({"type": "url"})}
    for _ in range(300):
        nested = {"type": "tool_result", "content": [nested]}
    assert ask("anthropic", blocks(nested)).status == 400
    assert provider.seen == []
