"""What a provider charges for beside the tokens is refused, for no budget would count it."""

import pytest

from .dialects import DIALECTS, Tokens
from .scripted_provider import whole

TOKENS = Tokens(fresh=10, visible=2)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        (
            "anthropic",
            {"tools": [{"name": "mine", "input_schema": {}}, {"type": "web_search_20250305", "name": "web"}]},
        ),
        ("anthropic", {"tools": [{"type": "code_execution_20250825", "name": "code"}]}),
        ("anthropic", {"speed": "fast"}),
        ("anthropic", {"mcp_servers": [{"type": "url", "url": "https://example.com", "name": "a"}]}),
        ("anthropic", {"container": "container_1"}),
        ("responses", {"tools": [{"type": "web_search"}]}),
        ("responses", {"tools": [{"type": "namespace", "name": "a", "tools": [{"type": "image_generation"}]}]}),
        ("responses", {"input": [{"type": "additional_tools", "tools": [{"type": "code_interpreter"}]}]}),
        ("responses", {"service_tier": "priority"}),
        ("responses", {"prompt": {"id": "pmpt_1"}}),
        ("chat", {"web_search_options": {"search_context_size": "high"}}),
        ("chat", {"n": 128}),
        ("xai", {"search_parameters": {"mode": "on"}}),
        ("google", {"tools": [{"functionDeclarations": []}, {"googleSearch": {}}]}),
        ("google", {"tools": {"google_search": {}}}),
        ("google", {"generationConfig": {"candidateCount": 8}}),
        ("google", {"serviceTier": "priority"}),
        ("google", {"service_tier": "priority"}),
    ],
)
def test_what_costs_beside_the_tokens_is_refused(name, fields, provider, open_gateway, make_caller):
    dialect = DIALECTS[name]
    answer = make_caller(open_gateway(dialect)).ask(dialect, stream=False, **fields)
    assert answer.status == 400
    assert "costs beside the tokens" in answer.fields["error"]["message"]
    assert provider.seen == []


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("anthropic", {"tools": [{"name": "mine"}, {"type": "custom"}, {"type": "bash_20250124", "name": "bash"}]}),
        ("responses", {"tools": [{"type": "function"}, {"type": "namespace", "tools": [{"type": "custom"}]}]}),
        ("chat", {"tools": [{"type": "function"}], "n": 1, "service_tier": "auto"}),
        ("google", {"tools": [{"functionDeclarations": [{"name": "mine"}]}]}),
        ("google", {"serviceTier": "standard"}),
    ],
)
def test_what_costs_its_tokens_alone_is_let_through(name, fields, provider, open_gateway, make_caller):
    dialect = DIALECTS[name]
    provider.replies.append(whole(dialect, TOKENS))
    assert make_caller(open_gateway(dialect)).ask(dialect, stream=False, **fields).status == 200
