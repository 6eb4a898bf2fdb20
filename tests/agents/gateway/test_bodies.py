"""Only a few bodies are in the making at once: what is read out of one takes many times its size."""

import json
import socket
import time

import pytest

from outpost_runner.gateway.admission import BODIES_AT_ONCE

from .caller import request_bytes
from .dialects import Tokens
from .scripted_provider import whole

TOKENS = Tokens(fresh=10, visible=2)


@pytest.fixture
def unfinished(gateway):
    """Clients whose bodies are not there to their end yet, as many as are read at once."""
    host, port = gateway.url.removeprefix("http://").split(":")
    clients = [socket.create_connection((host, int(port))) for _ in range(BODIES_AT_ONCE)]
    for client in clients:
        client.sendall(request_bytes(gateway, "content-length: 100", body="{"))
    time.sleep(0.2)
    yield clients
    for client in clients:
        client.close()


def test_one_more_body_waits_until_another_is_read(unfinished, provider, caller, anthropic, eventually):
    provider.replies.append(whole(anthropic, TOKENS))
    caller.begin(anthropic, stream=False)
    time.sleep(0.3)
    assert provider.seen == []
    unfinished[0].close()
    eventually(lambda: len(provider.seen) == 1)


def test_a_stop_does_not_wait_for_bodies(unfinished, gateway):
    began_at = time.monotonic()
    gateway.stop()
    assert time.monotonic() - began_at < 1


def test_calls_that_wait_for_their_answers_hold_up_no_body(provider, gateway, make_caller, anthropic, eventually):
    held = whole(anthropic, TOKENS, held_before_head=True)
    provider.replies.append(held)
    for _ in range(BODIES_AT_ONCE + 1):
        make_caller(gateway).begin(anthropic, stream=False)
    eventually(lambda: len(provider.seen) == BODIES_AT_ONCE + 1)
    held.release.set()


def test_a_body_that_is_refused_holds_up_no_other(provider, make_caller, gateway, anthropic):
    provider.replies.append(whole(anthropic, TOKENS))
    refused = [make_caller(gateway).send("POST", anthropic.path, b"[]").status for _ in range(BODIES_AT_ONCE + 1)]
    assert set(refused) == {400}
    assert make_caller(gateway).send("POST", anthropic.path, json.dumps(anthropic.body)).status == 200
