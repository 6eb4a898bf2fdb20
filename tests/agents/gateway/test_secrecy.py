"""The provider's key is nowhere that an agent, a log or a report could show it."""

import base64
import json
import logging
import traceback
from email.message import Message
from io import BytesIO

import pytest

from outpost_runner.gateway.admission import Admission, ClientRequest
from outpost_runner.gateway.known_providers import ProviderUnknown, describe_provider
from outpost_runner.gateway.protocols import ANTHROPIC_MESSAGES
from outpost_runner.gateway.provider import KeyHeader, Provider, ProviderMisdescribed, Route
from outpost_runner.gateway.relay import KeyFilter
from outpost_runner.gateway.request_body import RequestBody
from outpost_runner.gateway.usage import Usage

from .conftest import API_KEY, PRICE, RecordingWatcher
from .dialects import Tokens
from .scripted_provider import Reply, as_json, failing, streamed

TOKENS = Tokens(fresh=10, visible=2)
TASK = "prompt-canary-51b2"
ANSWER = "answer-canary-93c7"
ENCODED_KEY = base64.b64encode(API_KEY.encode()).decode().rstrip("=")


def test_a_provider_that_repeats_its_key_in_an_error_is_not_passed_on(provider, caller, anthropic):
    content = {"error": {"message": f"Incorrect API key provided: {API_KEY} ({ENCODED_KEY})"}}
    provider.replies.append(failing(401, content, x_request_id=f"for-{API_KEY}"))
    answer = caller.ask(anthropic, stream=True)
    assert answer.fields["error"]["message"] == "Incorrect API key provided: [redacted] ([redacted])"
    assert answer.headers["x-request-id"] == "for-[redacted]"


def test_a_provider_that_repeats_its_key_in_a_stream_is_not_passed_on(provider, caller, anthropic):
    content = f"data: {API_KEY}\n\ndata: sk-real-canary-7f3a\n\n".encode()
    provider.replies.append(Reply([bytes([byte]) for byte in content], headers={"request-id": API_KEY}))
    answer = caller.ask(anthropic, stream=True)
    assert answer.body == b"data: [redacted]\n\ndata: sk-real-canary-7f3a\n\n"
    assert answer.headers["request-id"] == "[redacted]"


def test_a_provider_that_repeats_its_key_in_a_list_is_not_passed_on(provider, caller):
    provider.replies.append(as_json({"data": [API_KEY]}))
    assert caller.send("GET", "/v1/models").fields == {"data": ["[redacted]"]}


def test_a_stream_that_ends_like_a_key_begins_is_whole(provider, caller, anthropic):
    provider.replies.append(Reply([b"data: {}\n\ndata: sk-real"]))
    assert caller.ask(anthropic, stream=True).body == b"data: {}\n\ndata: sk-real"


def test_bytes_with_which_a_key_could_begin_are_held_back():
    passing = KeyFilter(API_KEY)
    assert [passing.feed(b"the sk"), passing.feed(b"-"), passing.finish()] == [b"the ", b"", b"sk-"]


def test_bytes_that_are_no_text_pass_unchanged():
    content = bytes(range(256))
    assert KeyFilter(API_KEY).feed(content) == content


def test_nothing_that_the_gateway_shows_holds_a_secret(
    provider, open_gateway, make_caller, anthropic, watcher, capfd, caplog
):
    caplog.set_level(logging.DEBUG)
    stream = streamed(anthropic, TOKENS, ANSWER)
    provider.replies.extend([stream, failing(500, {"error": {"message": API_KEY}}), Reply(status=302)])
    gateway = open_gateway(anthropic)
    caller = make_caller(gateway)
    statuses = [caller.ask(anthropic, stream=True, system=TASK).status for _ in range(3)]
    refused = caller.send("POST", f"/v1/x?key={gateway.dummy_key}", json.dumps({"task": TASK}))
    gateway.stop()
    assert (statuses, refused.status) == ([200, 500, 502], 404)
    shown = f"{gateway!r}{gateway.reading}{gateway.trouble}{watcher}{caplog.text}{''.join(capfd.readouterr())}"
    assert "answered 302" in shown
    found = [secret for secret in (API_KEY, TASK, ANSWER, gateway.dummy_key) if secret in shown + str(refused)]
    assert found == []


class BrokenWatcher(RecordingWatcher):
    def call_ended(self, report):
        raise LookupError(API_KEY)


def test_a_defect_is_told_by_its_kind_and_place_and_stops_nobody_else(
    provider, open_gateway, make_caller, anthropic, eventually
):
    provider.replies.append(streamed(anthropic, TOKENS))
    broken = BrokenWatcher()
    gateway = open_gateway(anthropic, watcher=broken)
    assert not make_caller(gateway).ask(anthropic, stream=True).is_whole
    eventually(lambda: len(broken.defects) == 1)
    assert broken.defects[0].startswith("LookupError in call_ended, line ")
    assert not make_caller(gateway).ask(anthropic, stream=True).is_whole
    assert gateway.reading.usage == Usage(input_tokens=20, output_tokens=4)


def test_a_request_on_its_way_shows_no_secret(anthropic):
    body = json.dumps({"model": anthropic.model, "task": TASK}).encode()
    headers = Message()
    headers["x-api-key"] = "sk-run-dummy"
    headers["content-length"] = str(len(body))
    described = describe_provider("anthropic", API_KEY, {anthropic.model: PRICE})
    admission = Admission(described, frozenset([anthropic.model]), "sk-run-dummy")
    request = ClientRequest(
        "POST", "/v1/messages?key=sk-run-dummy", headers, RequestBody(BytesIO(body), headers, 1_000)
    )
    admitted = admission.admit(request)
    assert admitted.headers["x-api-key"] == API_KEY
    assert [secret for secret in (API_KEY, TASK, "sk-run-dummy") if secret in f"{admission}{request}{admitted}"] == []


def test_a_provider_shows_everything_but_its_key(anthropic):
    described = describe_provider("anthropic", API_KEY, {anthropic.model: PRICE})
    assert "https://api.anthropic.com" in repr(described)
    assert API_KEY not in repr(described)


@pytest.mark.parametrize("api_key", [f"{API_KEY}\r\nx: y", f"{API_KEY} ", f"{API_KEY}é", "short"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(api_key):
    with pytest.raises(ProviderMisdescribed) as refused:
        describe_provider("anthropic", api_key, {})
    assert api_key not in "".join(traceback.format_exception(refused.value, limit=0))


@pytest.mark.parametrize(
    "base_url",
    [
        "http://api.example.com",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "https://",
        "https://user@example.com",
        "https://example.com?key=x",
        "https://example.com#x",
    ],
)
def test_an_address_that_is_not_safe_for_a_key_is_refused(base_url):
    with pytest.raises(ProviderMisdescribed):
        describe_provider("anthropic", API_KEY, {}, base_url)


def test_a_provider_without_routes_is_refused():
    with pytest.raises(ProviderMisdescribed):
        Provider("x", "https://example.com", KeyHeader.BEARER, API_KEY, (), {})


def test_a_provider_of_ones_own_is_taken():
    route = Route("POST", "/messages", ANTHROPIC_MESSAGES)
    provider = Provider("x", "https://example.com", KeyHeader.BEARER, API_KEY, (route,), {})
    assert provider.find_route("POST", "/messages") == (route, None)


def test_an_unknown_provider_is_refused_by_name():
    with pytest.raises(ProviderUnknown, match="anthropic, openai, google, deepseek, xai"):
        describe_provider("other", API_KEY, {})


@pytest.mark.parametrize("name", ["anthropic", "openai", "google", "deepseek", "xai"])
def test_known_providers_are_reached_by_https(name):
    assert describe_provider(name, API_KEY, {}).base_url.startswith("https://")


def test_a_certificate_that_nobody_vouches_for_gets_no_key(tls_provider, open_gateway, make_caller, anthropic):
    gateway = open_gateway(anthropic, base_url=f"https://localhost:{tls_provider.port}")
    answer = make_caller(gateway).ask(anthropic, stream=True)
    assert answer.status == 502
    assert gateway.trouble.message == "The provider anthropic could not be trusted, or did not speak TLS."
    assert tls_provider.seen == []


def test_a_certificate_for_another_host_gets_no_key(trusted, tls_provider, open_gateway, make_caller, anthropic):
    gateway = open_gateway(anthropic, base_url=f"https://127.0.0.1:{tls_provider.port}")
    assert make_caller(gateway).ask(anthropic, stream=True).status == 502
    assert tls_provider.seen == []


def test_a_certificate_that_is_vouched_for_is_enough(trusted, tls_provider, open_gateway, make_caller, anthropic):
    tls_provider.replies.append(streamed(anthropic, TOKENS))
    gateway = open_gateway(anthropic, base_url=f"https://localhost:{tls_provider.port}")
    caller = make_caller(gateway)
    statuses = [caller.ask(anthropic, stream=True).status for _ in range(2)]
    assert statuses == [200, 200]
    assert len({seen.client for seen in tls_provider.seen}) == 1
    assert tls_provider.seen[0].headers["x-api-key"] == API_KEY
