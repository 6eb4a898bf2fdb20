"""What is wrong with the provider is remembered until a call succeeds."""

import socket
from datetime import UTC, datetime, timedelta

import pytest

from outpost_runner.gateway.trouble import TroubleCode, read_reset
from outpost_runner.gateway.upstream import Timeouts

from .dialects import DIALECTS, TEXT, Tokens, event
from .scripted_provider import Ending, Reply, as_json, failing, streamed, whole

TOKENS = Tokens(fresh=10, visible=2)
AUTH_FAILED, UNAVAILABLE = TroubleCode.PROVIDER_AUTH_FAILED, TroubleCode.PROVIDER_UNAVAILABLE
GOOGLE_WRONG_KEY = {"error": {"code": 400, "details": [{"reason": "API_KEY_INVALID"}]}}
XAI_WRONG_KEY = {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***."}


@pytest.fixture
def nobody():
    """The URL of a port that refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize(
    ("status", "code", "retries"),
    [
        (401, AUTH_FAILED, 0),
        (403, AUTH_FAILED, 0),
        (429, UNAVAILABLE, 1),
        (500, UNAVAILABLE, 1),
        (503, UNAVAILABLE, 1),
        (529, UNAVAILABLE, 1),
    ],
)
def test_an_error_of_the_provider_is_remembered(status, code, retries, provider, caller, gateway, anthropic):
    provider.replies.append(failing(status))
    caller.ask(anthropic, stream=True)
    trouble = gateway.trouble
    assert (trouble.code, trouble.status, trouble.failures) == (code, status, 1)
    assert trouble.message == f"The provider anthropic answered {status}."
    assert gateway.reading.retries == retries


def test_what_is_forbidden_to_a_key_that_has_worked_is_the_requests_own(provider, caller, gateway, anthropic):
    provider.replies.extend([streamed(anthropic, Tokens(fresh=1, visible=1)), failing(403)])
    caller.ask(anthropic, stream=True)
    caller.ask(anthropic, stream=True)
    assert gateway.trouble is None


@pytest.mark.parametrize("content", [GOOGLE_WRONG_KEY, XAI_WRONG_KEY])
def test_a_wrong_key_that_is_answered_with_400_is_recognised(content, provider, caller, gateway, anthropic):
    provider.replies.append(failing(400, content))
    caller.ask(anthropic, stream=True)
    assert gateway.trouble.code is AUTH_FAILED


CREDIT = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade."
ANTHROPIC_USED_UP = {"type": "error", "error": {"type": "invalid_request_error", "message": CREDIT}}


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (402, {"error": {"message": "Insufficient Balance", "type": "unknown_error"}}),
        (429, {"error": {"message": "No.", "type": "insufficient_quota", "code": None}}),
        (429, {"error": {"message": "No.", "type": "tokens", "code": "insufficient_quota"}}),
        (429, {"error": {"message": "No.", "type": "billing_not_active", "code": "billing_not_active"}}),
        (400, ANTHROPIC_USED_UP),
    ],
)
def test_an_account_that_is_used_up_is_one_that_is_refused(status, content, provider, caller, gateway, anthropic):
    provider.replies.extend([streamed(anthropic, TOKENS), failing(status, content, retry_after="1")])
    caller.ask(anthropic, stream=True)
    caller.ask(anthropic, stream=True)
    assert gateway.trouble.code is AUTH_FAILED
    assert gateway.trouble.message == f"The provider anthropic answered {status}: its account is used up."
    assert gateway.trouble.resets_at is None


@pytest.mark.parametrize("message", ["Your credit balance is too low: Extra inputs are not permitted", f"A {CREDIT}"])
def test_a_wrong_field_that_is_named_like_a_used_up_account_is_no_trouble(
    message, provider, caller, gateway, anthropic
):
    provider.replies.append(failing(400, {"error": {"type": "invalid_request_error", "message": message}}))
    caller.ask(anthropic, stream=True)
    assert gateway.trouble is None


def test_an_account_that_is_used_up_in_the_middle_of_a_stream_is_refused(provider, caller, gateway, anthropic):
    provider.replies.append(Reply([anthropic.events(TOKENS, TEXT)[0], event(ANTHROPIC_USED_UP)]))
    caller.ask(anthropic, stream=True)
    assert gateway.trouble.code is AUTH_FAILED


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_an_error_that_is_the_requests_own_is_no_trouble(status, provider, caller, gateway, anthropic):
    provider.replies.append(failing(status))
    caller.ask(anthropic, stream=True)
    assert gateway.trouble is None
    assert gateway.reading.retries == 0


def test_failures_in_a_row_are_counted(provider, caller, gateway, anthropic):
    provider.replies.extend([failing(529), failing(503), failing(401)])
    statuses = [caller.ask(anthropic, stream=True).status for _ in range(3)]
    assert statuses == [529, 503, 401]
    assert (gateway.trouble.status, gateway.trouble.failures) == (401, 3)


@pytest.mark.parametrize(("stream", "make_reply"), [(True, streamed), (False, whole)])
def test_a_success_clears_the_trouble(stream, make_reply, provider, caller, gateway, anthropic):
    provider.replies.extend([failing(529), make_reply(anthropic, TOKENS)])
    caller.ask(anthropic, stream=stream)
    caller.ask(anthropic, stream=stream)
    assert gateway.trouble is None
    assert gateway.reading.retries == 1


def test_what_is_not_counted_clears_no_trouble(provider, caller, gateway, anthropic):
    provider.replies.extend([failing(529), whole(anthropic, TOKENS)])
    caller.ask(anthropic, stream=True)
    caller.send("GET", "/v1/models")
    assert gateway.trouble.status == 529


def test_a_provider_that_refuses_connections_is_unavailable(nobody, open_gateway, make_caller, anthropic):
    gateway = open_gateway(anthropic, base_url=nobody)
    answer = make_caller(gateway).ask(anthropic, stream=True)
    assert answer.status == 502
    assert answer.fields["error"]["type"] == "api_error"
    assert gateway.trouble.code is UNAVAILABLE
    assert gateway.trouble.status is None
    assert gateway.reading.usage.total_tokens == 0


def test_a_provider_that_cannot_be_reached_in_time_is_unavailable(deaf, open_gateway, make_caller, anthropic):
    gateway = open_gateway(anthropic, base_url=deaf, timeouts=Timeouts(connect_seconds=0.2))
    assert make_caller(gateway).ask(anthropic, stream=True).status == 504
    assert gateway.trouble.code is UNAVAILABLE


def test_a_provider_that_does_not_answer_is_unavailable(provider, open_gateway, make_caller, watcher, anthropic):
    provider.replies.append(Reply(held_before_head=True))
    gateway = open_gateway(anthropic, timeouts=Timeouts(silence_seconds=0.2))
    assert make_caller(gateway).ask(anthropic, stream=True).status == 504
    assert gateway.trouble.message == "The provider anthropic did not answer in time."
    assert watcher.reports[0].status is None


@pytest.mark.parametrize("encoding", ["gzip", "identity, br"])
@pytest.mark.parametrize("status", [200, 401])
def test_a_provider_whose_answer_is_compressed_is_unavailable(encoding, status, provider, caller, gateway, anthropic):
    """Neither its usage nor the key could be found in it."""
    provider.replies.append(as_json({"text": "x"}, status=status, headers={"content-encoding": encoding}))
    answer = caller.ask(anthropic, stream=False)
    assert answer.status == 502
    assert gateway.trouble.code is UNAVAILABLE
    assert gateway.trouble.message == "The provider anthropic compressed its answer, though it was asked not to."


@pytest.mark.parametrize("ending", [Ending.NO_LAST_CHUNK, Ending.LENGTH_NOT_REACHED])
def test_a_stream_that_is_cut_is_trouble(ending, provider, caller, gateway, anthropic):
    provider.replies.append(Reply(anthropic.events(TOKENS, TEXT)[:2], ending=ending))
    caller.ask(anthropic, stream=True)
    assert gateway.trouble.code is UNAVAILABLE
    assert gateway.trouble.message == "The provider anthropic broke its answer off."


IN_STREAM = {
    "anthropic": {"type": "error", "error": {"type": "WORD", "message": "Overloaded"}},
    "responses": {"type": "response.failed", "response": {"error": {"code": "WORD", "message": "No."}}},
    "chat": {"error": {"message": "No.", "type": "WORD", "code": None}},
    "google": {"error": {"code": 503, "message": "No.", "status": "WORD"}},
}


@pytest.mark.parametrize(
    ("name", "word", "code"),
    [
        ("anthropic", "overloaded_error", UNAVAILABLE),
        ("anthropic", "authentication_error", AUTH_FAILED),
        ("responses", "server_is_overloaded", UNAVAILABLE),
        ("responses", "insufficient_quota", AUTH_FAILED),
        ("chat", "server_error", UNAVAILABLE),
        ("chat", "insufficient_quota", AUTH_FAILED),
        ("google", "UNAVAILABLE", UNAVAILABLE),
        ("google", "PERMISSION_DENIED", AUTH_FAILED),
    ],
)
def test_an_error_in_the_middle_of_a_stream_is_trouble(name, word, code, provider, open_gateway, make_caller):
    dialect = DIALECTS[name]
    broken = event(IN_STREAM[name]).replace(b"WORD", word.encode())
    provider.replies.append(Reply([dialect.events(TOKENS, TEXT)[0], broken]))
    gateway = open_gateway(dialect)
    answer = make_caller(gateway).ask(dialect, stream=True)
    assert answer.body.endswith(broken)
    assert gateway.trouble.code is code


def test_a_responses_error_event_is_trouble(provider, open_gateway, make_caller):
    dialect = DIALECTS["responses"]
    provider.replies.append(Reply([event({"type": "error", "code": "server_error", "message": "No."})]))
    gateway = open_gateway(dialect)
    make_caller(gateway).ask(dialect, stream=True)
    assert gateway.trouble.code is UNAVAILABLE


def test_an_error_in_a_stream_that_is_the_requests_own_changes_nothing(provider, caller, gateway, anthropic):
    wrong = event({"type": "error", "error": {"type": "invalid_request_error", "message": "No."}})
    provider.replies.extend([failing(529), Reply([wrong])])
    caller.ask(anthropic, stream=True)
    caller.ask(anthropic, stream=True)
    assert (gateway.trouble.status, gateway.trouble.failures) == (529, 1)


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "30"}, b"", 30),
        ({"retry-after": "2", "retry-after-ms": "1500"}, b"", 1.5),
        ({}, b'{"error": {"details": [{"a": 1}, {"retryDelay": "34.5s"}]}}', 34.5),
    ],
)
def test_the_moment_to_come_back_is_read(headers, body, seconds):
    expected = datetime.now(UTC) + timedelta(seconds=seconds)
    assert abs(read_reset(headers, body) - expected) < timedelta(seconds=1)


@pytest.mark.parametrize("zone", ["GMT", "-0000"])
def test_a_date_to_come_back_is_read(zone):
    moment = read_reset({"retry-after": f"Wed, 21 Oct 2026 07:28:00 {zone}"}, b"")
    assert moment == datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b""),
        ({}, b'{"error": "No."}'),
        ({}, b'{"error": {"details": [{"retryDelay": "soon"}]}}'),
        ({"retry-after": "soon"}, b""),
        ({"retry-after": "9" * 400}, b""),
        ({"retry-after-ms": "nan"}, b""),
    ],
)
def test_a_moment_that_cannot_be_read_is_none(headers, body):
    assert read_reset(headers, body) is None


def test_a_rate_limit_says_when_it_ends(provider, caller, gateway, anthropic):
    provider.replies.append(failing(429, retry_after="60"))
    caller.ask(anthropic, stream=True)
    left = gateway.trouble.resets_at - datetime.now(UTC)
    assert timedelta(seconds=55) < left <= timedelta(seconds=60)


@pytest.mark.parametrize("words", ["API_KEY_INVALID", "Incorrect API key"])
def test_words_of_the_request_that_an_error_repeats_are_no_trouble(words, provider, caller, gateway, anthropic):
    """Else an agent could have its provider blamed, and be kept from all tenants."""
    provider.replies.append(failing(400, {"error": {"message": f"A role must be user or assistant, not {words}."}}))
    caller.ask(anthropic, stream=False)
    assert gateway.trouble is None
