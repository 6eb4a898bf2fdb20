"""What passes through the gateway in both directions, and what stays behind."""

import json

import pytest

from outpost_runner.gateway.open_sockets import OpenSockets
from outpost_runner.gateway.refusals import ProviderGone
from outpost_runner.gateway.upstream import Timeouts, Upstream

from .caller import exchange_bytes, request_bytes
from .conftest import API_KEY
from .dialects import DIALECTS, Tokens
from .scripted_provider import Ending, Reply, as_json, failing, streamed, whole

TOKENS = Tokens(fresh=10, visible=2)
KEY_HEADERS = {
    "anthropic": ("x-api-key", API_KEY),
    "responses": ("authorization", f"Bearer {API_KEY}"),
    "chat": ("authorization", f"Bearer {API_KEY}"),
    "deepseek": ("authorization", f"Bearer {API_KEY}"),
    "xai": ("authorization", f"Bearer {API_KEY}"),
    "google": ("x-goog-api-key", API_KEY),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_the_provider_gets_its_key_as_it_wants_it_and_no_other(name, provider, open_gateway, make_caller):
    dialect = DIALECTS[name]
    provider.replies.append(streamed(dialect, TOKENS))
    gateway = open_gateway(dialect)
    both = {"x_api_key": gateway.dummy_key, "authorization": f"Bearer {gateway.dummy_key}"}
    make_caller(gateway).send("POST", dialect.stream_path, json.dumps(dialect.request(stream=True)), **both)
    (seen,) = provider.seen
    key_headers = {header: seen.headers.get(header) for header, _ in KEY_HEADERS.values()}
    header, value = KEY_HEADERS[name]
    assert key_headers == {**dict.fromkeys(key_headers), header: value}
    assert API_KEY not in seen.target
    assert gateway.dummy_key not in f"{seen.target}{seen.headers}"


def test_only_headers_that_the_provider_needs_reach_it(provider, caller, gateway, anthropic):
    provider.replies.append(whole(anthropic, TOKENS))
    needed = {"anthropic_version": "2023-06-01", "anthropic_beta": "one,two", "user_agent": "cli/1", "accept": "*/*"}
    others = {
        "cookie": "a=b",
        "x_http_method_override": "DELETE",
        "x_grok_model_override": "grok-dear",
        "x_goog_user_project": "other",
        "openai_organization": "other",
        "proxy_authorization": "Basic eDp5",
        "x_forwarded_for": "192.0.2.1",
        "accept_encoding": "gzip, br",
        "te": "trailers",
    }
    caller.send("POST", anthropic.path, json.dumps(anthropic.body), x_api_key=gateway.dummy_key, **needed, **others)
    (seen,) = provider.seen
    assert seen.headers == {
        "accept": "*/*",
        "accept-encoding": "identity",
        "anthropic-beta": "one,two",
        "anthropic-version": "2023-06-01",
        "content-length": str(len(json.dumps(anthropic.body))),
        "content-type": "application/json",
        "host": f"127.0.0.1:{provider.port}",
        "user-agent": "cli/1",
        "x-api-key": API_KEY,
    }


@pytest.mark.parametrize(
    ("asked", "passed"),
    [
        ("one,context-1m-2025-08-07, two", "one,two"),
        ("fast-mode-2026-02-01,one", "one"),
        ("Compact-2026-01-12", None),
    ],
)
def test_a_beta_that_is_dearer_stays_behind(asked, passed, provider, caller, gateway, anthropic):
    provider.replies.append(whole(anthropic, TOKENS))
    headers = {"x_api_key": gateway.dummy_key, "anthropic_beta": asked}
    caller.send("POST", anthropic.path, json.dumps(anthropic.body), **headers)
    assert provider.seen[0].headers.get("anthropic-beta") == passed


def test_a_header_in_several_lines_arrives_in_one(provider, gateway, anthropic):
    provider.replies.append(whole(anthropic, TOKENS))
    body = json.dumps(anthropic.body)
    lines = ["accept: a,\r\n b,\r\n\tc", "connection: close", f"content-length: {len(body)}"]
    assert exchange_bytes(gateway, request_bytes(gateway, *lines, body=body)).startswith(b"HTTP/1.1 200 ")
    assert provider.seen[0].headers["accept"] == "a, b, c"


def test_only_headers_that_the_client_needs_come_back(provider, caller, anthropic):
    needed = {
        "request-id": "req_1",
        "anthropic-ratelimit-tokens-remaining": "7",
        "x-ratelimit-reset-requests": "1s",
        "x-should-retry": "false",
    }
    others = {"set-cookie": "a=b", "anthropic-organization-id": "org", "keep-alive": "timeout=5", "server": "x"}
    provider.replies.append(streamed(anthropic, TOKENS, headers={**needed, **others}))
    answer = caller.ask(anthropic, stream=True)
    framing = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"}
    assert answer.headers == {**needed, **framing}


def test_known_parameters_pass(provider, caller, anthropic):
    provider.replies.append(whole(anthropic, TOKENS))
    caller.send("POST", "/v1/messages?beta=true", json.dumps(anthropic.body))
    assert provider.seen[0].target == "/v1/messages?beta=true"


def test_a_base_url_may_have_a_path(provider, open_gateway, make_caller, anthropic):
    provider.replies.append(whole(anthropic, TOKENS))
    make_caller(open_gateway(anthropic, base_url=f"{provider.url}/region/")).ask(anthropic, stream=False)
    assert provider.seen[0].target == "/region/v1/messages"


def test_a_body_in_chunks_arrives_whole(provider, caller, anthropic):
    provider.replies.append(whole(anthropic, TOKENS))
    body = json.dumps(anthropic.body).encode()
    caller.send("POST", anthropic.path, iter([body[:5], body[5:6], body[6:]]))
    assert provider.seen[0].body == body


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status, provider, caller, anthropic):
    provider.replies.append(failing(status, location=f"{provider.url}/elsewhere"))
    answer = caller.ask(anthropic, stream=False)
    assert answer.status == 502
    assert answer.fields["error"]["type"] == "api_error"
    assert "location" not in answer.headers
    assert [seen.target for seen in provider.seen] == ["/v1/messages"]


def test_an_answer_that_is_not_taken_does_not_stand_in_the_way_of_the_next(provider, caller, anthropic):
    redirect = Reply(status=302, ending=Ending.LENGTH)
    provider.replies.extend([whole(anthropic, TOKENS), redirect, whole(anthropic, TOKENS)])
    statuses = [caller.ask(anthropic, stream=False).status for _ in range(3)]
    assert statuses == [200, 502, 200]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 503, 529])
def test_the_providers_errors_pass_as_they_are(status, provider, caller, gateway, anthropic):
    content = {"type": "error", "error": {"type": "scripted", "message": "No."}}
    provider.replies.append(failing(status, content, retry_after="7"))
    answer = caller.ask(anthropic, stream=True)
    assert (answer.status, answer.fields, answer.headers["retry-after"]) == (status, content, "7")
    assert gateway.reading.usage.total_tokens == 0
    assert gateway.reading.estimated_calls == 0


def test_a_list_of_models_passes(provider, caller):
    provider.replies.append(as_json({"data": [{"id": "one"}]}))
    assert caller.send("GET", "/v1/models?limit=5").fields == {"data": [{"id": "one"}]}
    assert (provider.seen[0].method, provider.seen[0].target) == ("GET", "/v1/models?limit=5")


def test_calls_of_one_client_share_one_connection(provider, caller, anthropic):
    provider.replies.extend([streamed(anthropic, TOKENS), whole(anthropic, TOKENS), failing(429)])
    caller.ask(anthropic, stream=True)
    caller.ask(anthropic, stream=False)
    caller.ask(anthropic, stream=False)
    assert len({seen.client for seen in provider.seen}) == 1


def test_a_connection_that_the_provider_closed_is_opened_anew(provider, caller, anthropic, eventually):
    closing = streamed(anthropic, TOKENS, ending=Ending.LAST_CHUNK_THEN_CLOSED)
    provider.replies.extend([closing, whole(anthropic, TOKENS)])
    caller.ask(anthropic, stream=True)
    eventually(lambda: provider.closed_connections == 1)
    assert caller.ask(anthropic, stream=False).status == 200
    assert len({seen.client for seen in provider.seen}) == 2


def test_a_connection_that_was_idle_for_long_is_opened_anew(provider, open_gateway, make_caller, anthropic):
    provider.replies.append(whole(anthropic, TOKENS))
    caller = make_caller(open_gateway(anthropic, timeouts=Timeouts(idle_seconds=0)))
    statuses = [caller.ask(anthropic, stream=False).status for _ in range(2)]
    assert statuses == [200, 200]
    assert len({seen.client for seen in provider.seen}) == 2


def test_a_connection_that_the_provider_will_not_keep_is_opened_anew(provider, caller, anthropic):
    provider.replies.append(streamed(anthropic, TOKENS, headers={"connection": "close"}))
    assert caller.ask(anthropic, stream=True).is_whole
    assert caller.ask(anthropic, stream=True).is_whole
    assert len({seen.client for seen in provider.seen}) == 2


def test_a_request_that_could_not_be_sent_is_known_from_one_that_was(provider):
    provider.replies.append(as_json({}))
    upstream = Upstream(provider.url, OpenSockets(), Timeouts())
    upstream.send("POST", "/v1/messages", {}, b"{}")
    assert upstream.has_sent
    upstream.close()
    provider.close()
    with pytest.raises(ProviderGone):
        upstream.send("POST", "/v1/messages", {}, b"{}")
    assert not upstream.has_sent
