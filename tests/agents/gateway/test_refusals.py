"""What the gateway refuses, it refuses by itself and in the shape that the protocol's clients know."""

import json

import pytest

from outpost_runner.gateway.handler import MAX_REQUEST_BYTES

from .caller import exchange_bytes, request_bytes
from .conftest import PRICE
from .dialects import CLAUDE, DIALECTS, GEMINI, Tokens
from .scripted_provider import streamed, whole

TOKENS = Tokens(fresh=10, visible=2)
EVERY_DIALECT = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
BODY = json.dumps(DIALECTS["anthropic"].body)


def read_code(fields):
    """The protocol's own word for what is wrong, wherever it has it."""
    error = fields["error"]
    return error.get("status") or error.get("code") or error["type"]


@EVERY_DIALECT
@pytest.mark.parametrize("headers", [{"authorization": "Bearer sk-other"}, {"x_api_key": ""}, {"x_goog_api_key": "é"}])
def test_another_key_than_the_runs_is_refused(dialect, headers, provider, open_gateway, make_caller):
    caller = make_caller(open_gateway(dialect))
    answer = caller.send("POST", dialect.path, json.dumps(dialect.body), **headers)
    codes = {"anthropic": "authentication_error", "google": "UNAUTHENTICATED"}
    assert answer.status == 401
    assert read_code(answer.fields) == codes.get(dialect.provider, "invalid_api_key")
    assert provider.seen == []


def test_two_gateways_have_two_keys(open_gateway, anthropic):
    assert open_gateway(anthropic).dummy_key != open_gateway(anthropic).dummy_key


@pytest.mark.parametrize("header", ["x_api_key", "x_goog_api_key"])
def test_the_runs_key_may_be_in_any_providers_header(header, provider, caller, gateway, anthropic):
    provider.replies.append(whole(anthropic, TOKENS))
    assert caller.send("POST", anthropic.path, BODY, **{header: gateway.dummy_key}).status == 200


def test_the_runs_key_may_be_in_the_query_and_goes_no_further(provider, open_gateway, make_caller):
    dialect = DIALECTS["google"]
    provider.replies.append(streamed(dialect, TOKENS))
    gateway = open_gateway(dialect)
    target = f"{dialect.stream_path}&key={gateway.dummy_key}"
    answer = make_caller(gateway).send("POST", target, json.dumps(dialect.body), accept="*/*")
    assert answer.status == 200
    assert provider.seen[0].target == dialect.stream_path


@EVERY_DIALECT
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/files"),
        ("POST", "/v1/messages/../files"),
        ("POST", "/v1beta/models/a%2Fb:generateContent"),
        ("POST", "/v1/messages/"),
        ("POST", "http://example.com/v1/messages"),
        ("POST", "/v1/messages#/v1/models"),
        ("DELETE", "/v1/models"),
        ("PUT", "/v1/messages"),
        ("GET", "/"),
    ],
)
def test_other_paths_and_methods_are_not_let_through(dialect, method, path, provider, open_gateway, make_caller):
    answer = make_caller(open_gateway(dialect)).send(method, path, BODY)
    codes = {"anthropic": "not_found_error", "google": "NOT_FOUND"}
    assert answer.status == 404
    assert read_code(answer.fields) == codes.get(dialect.provider, "not_found")
    assert provider.seen == []


def test_a_head_request_is_refused_without_a_body(gateway):
    lines = [f"x-api-key: {gateway.dummy_key}", "connection: close", "", ""]
    answer = exchange_bytes(gateway, "\r\n".join(["HEAD /api/hello HTTP/1.1", *lines]).encode())
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert answer.endswith(b"\r\n\r\n")


@EVERY_DIALECT
def test_a_model_that_is_not_the_runs_is_refused(dialect, provider, open_gateway, make_caller):
    gateway = open_gateway(dialect, models=["another"], prices={})
    answer = make_caller(gateway).ask(dialect, stream=True)
    assert answer.status == 400
    assert "another" in answer.fields["error"]["message"]
    assert provider.seen == []
    assert gateway.reading.calls == 0


@EVERY_DIALECT
def test_a_model_without_a_price_is_refused(dialect, provider, open_gateway, make_caller):
    answer = make_caller(open_gateway(dialect, prices={})).ask(dialect, stream=True)
    assert answer.status == 400
    assert "has no price" in answer.fields["error"]["message"]
    assert provider.seen == []


@pytest.mark.parametrize(
    "body",
    [
        '{"model": "claude-other", "model": "MODEL"}',
        '{"model": "MODEL", "Model": "claude-other"}',
        '{"model": "MODEL", "messages": [{"role": "a", "role": "b"}]}',
        '{"Model": "MODEL"}',
        '{"model": ["MODEL"]}',
        '{"model": null}',
        '{"model": "MODEL"',
        '["MODEL"]',
        "[" * 100_000,
        "",
    ],
)
def test_a_body_that_could_be_read_in_two_ways_is_refused(body, provider, caller):
    answer = caller.send("POST", "/v1/messages", body.replace("MODEL", CLAUDE))
    assert answer.status == 400
    assert answer.fields["error"]["type"] == "invalid_request_error"
    assert provider.seen == []


def test_a_body_in_another_encoding_is_refused(provider, caller):
    assert caller.send("POST", "/v1/messages", BODY.encode("utf-16")).status == 400


@pytest.mark.parametrize(("model", "status"), [(GEMINI, 200), (f"models/{GEMINI}", 200), ("gemini-ultra", 400)])
def test_a_google_body_may_only_repeat_the_paths_model(model, status, provider, open_gateway, make_caller):
    dialect = DIALECTS["google"]
    provider.replies.append(whole(dialect, TOKENS))
    models = [GEMINI, "gemini-ultra"]
    gateway = open_gateway(dialect, models=models, prices=dict.fromkeys(models, PRICE))
    assert make_caller(gateway).ask(dialect, stream=False, model=model).status == status


def test_a_parameter_that_is_not_known_is_refused(provider, caller):
    answer = caller.send("POST", "/v1/messages?beta=true&access_token=x", BODY)
    assert answer.status == 400
    assert "access_token" in answer.fields["error"]["message"]
    assert provider.seen == []


def test_a_body_that_is_too_large_is_refused_unread(provider, gateway):
    too_much = b" " * (MAX_REQUEST_BYTES + 1)
    answer = exchange_bytes(gateway, request_bytes(gateway, f"content-length: {len(too_much)}") + too_much)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"request_too_large"' in answer


def test_chunks_that_come_to_too_much_are_refused(provider, gateway):
    chunk = b"2000000\r\n" + b" " * 0x2000000 + b"\r\n"
    answer = exchange_bytes(gateway, request_bytes(gateway, "transfer-encoding: chunked") + chunk + b"1\r\n{\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "lines",
    [
        ["content-length: 2", "transfer-encoding: chunked"],
        ["content-length: 2", "content-length: 3"],
        ["content-length: -2"],
        ["content-length: two"],
        ["content-length: " + "9" * 5_000],
        ["transfer-encoding: gzip, chunked"],
    ],
)
def test_a_body_whose_length_is_not_clear_is_refused(lines, provider, gateway):
    assert exchange_bytes(gateway, request_bytes(gateway, *lines) + b"{}").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("length", [b"-2", b"0x2", b"2_0", b"", b"z"])
def test_a_chunk_whose_length_is_not_clear_is_refused(length, provider, gateway):
    content = request_bytes(gateway, "transfer-encoding: chunked") + length + b"\r\n{}\r\n0\r\n\r\n"
    assert exchange_bytes(gateway, content).startswith(b"HTTP/1.1 400 ")


def test_a_compressed_body_is_refused(provider, caller, gateway):
    answer = caller.send("POST", "/v1/messages", b"\x1f\x8b", content_encoding="gzip", x_api_key=gateway.dummy_key)
    assert answer.status == 415


@pytest.mark.parametrize(
    "content", [b"nonsense\r\n\r\n", b"BREW / HTTP/1.1\r\n\r\n", b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_request_gets_the_protocols_error(content, gateway):
    answer = exchange_bytes(gateway, content)
    assert b'{"type": "error"' in answer


@pytest.mark.parametrize("target", ["http://[", "*", "v1/messages", "?", "/v1/messages%00"])
def test_a_target_that_is_no_path_is_not_let_through(target, gateway):
    answer = exchange_bytes(gateway, request_bytes(gateway, "connection: close", target=target))
    assert answer.startswith(b"HTTP/1.1 404 ")


def test_http_1_0_is_refused_for_its_cuts_cannot_be_seen(provider, gateway):
    answer = exchange_bytes(gateway, request_bytes(gateway, "content-length: 0", version="HTTP/1.0"))
    assert answer.startswith(b"HTTP/1.1 505 ")


def test_a_refusal_does_not_cost_the_connection(provider, caller, anthropic):
    provider.replies.append(whole(anthropic, TOKENS))
    refusal = caller.ask(anthropic, stream=False, model="other")
    assert (refusal.status, refusal.headers.get("connection")) == (400, None)
    assert caller.ask(anthropic, stream=False).status == 200


def test_an_answer_in_a_form_that_cannot_be_counted_is_refused(provider, open_gateway, make_caller):
    dialect = DIALECTS["google"]
    caller = make_caller(open_gateway(dialect))
    assert caller.send("POST", f"{dialect.path}?alt=proto", json.dumps(dialect.body)).status == 400
    assert provider.seen == []
