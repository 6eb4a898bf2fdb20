"""The scripted provider: its answers say the same in a stream and as a whole, and it gives none without its key."""

import json

import httpx
import pytest

from ..agents.gateway import dialects
from .provider.model_provider import ModelProvider
from .provider.steps import Say

KEY = "sk-of-the-test"
USAGES = {
    "anthropic": dialects.anthropic_usage,
    "responses": dialects.responses_usage,
    "deepseek": dialects.deepseek_usage,
    "xai": dialects.xai_usage,
    "google": dialects.google_usage,
}


@pytest.fixture(params=USAGES)
def dialect(request):
    return dialects.DIALECTS[request.param]


@pytest.fixture
def serving(dialect):
    provider = ModelProvider(dialect.provider, KEY)
    yield provider
    provider.close()


def ask(provider, dialect, *, stream, key=KEY):
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(
        provider.url + dialect.path_for(stream=stream), json=dialect.request(stream=stream), headers=headers
    )


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_states_what_it_is_recorded_to_count_for(request, serving, dialect, stream):
    script = serving.play(Say("Yes."))
    answer = ask(serving, dialect, stream=stream)
    usage = USAGES[request.node.callspec.params["dialect"]](script.sent[0].tokens)
    assert json.dumps(usage) in answer.text
    assert answer.headers["content-type"].startswith("text/event-stream" if stream else "application/json")


def test_no_answer_without_the_key(serving, dialect):
    script = serving.play(Say("Yes."))
    answer = ask(serving, dialect, stream=True, key="sk-of-somebody-else")
    assert (answer.status_code, script.sent, script.keys()) == (401, [], {"sk-of-somebody-else"})
