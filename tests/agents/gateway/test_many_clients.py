"""Many calls at once are counted as exactly as one, and all of them end when the gateway does."""

import contextlib
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import IncompleteRead

import pytest

from outpost_runner.gateway.open_sockets import OpenSockets
from outpost_runner.gateway.refusals import ClientGone
from outpost_runner.gateway.server import MAX_CLIENTS
from outpost_runner.gateway.usage import Usage

from .conftest import RecordingWatcher
from .dialects import DIALECTS, Tokens
from .scripted_provider import Reply, streamed

CALLS = 8
TOKENS = Tokens(fresh=1_013, cached=207, visible=31, reasoning=7)


def gateway_threads():
    names = ("gateway", "client-watch", "model-client")
    return [thread for thread in threading.enumerate() if thread.name in names]


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
def test_calls_at_once_are_counted_exactly(dialect, provider, open_gateway, make_caller, watcher):
    release = threading.Event()
    held = [streamed(dialect, TOKENS, held_at=1, release=release) for _ in range(CALLS)]
    provider.replies.extend([*held, Reply(status=500)])
    gateway = open_gateway(dialect)
    callers = [make_caller(gateway) for _ in range(CALLS)]
    with ThreadPoolExecutor(CALLS) as pool:
        asked = [pool.submit(caller.ask, dialect, stream=True) for caller in callers]
        assert all(reply.is_holding.wait(5) for reply in held)
        release.set()
        answers = [call.result() for call in asked]
    assert {answer.body for answer in answers} == {b"".join(held[0].blocks)}
    assert gateway.reading.usage == Usage(CALLS * 1_013, CALLS * 207, 0, CALLS * 38)
    assert gateway.reading.cost_microusd == CALLS * 12_237 // 2
    assert gateway.reading.calls == CALLS
    assert watcher.readings[-1] == gateway.reading


def test_more_clients_than_an_agent_needs_are_turned_away(gateway, eventually):
    host, port = gateway.url.removeprefix("http://").split(":")
    address = (host, int(port))
    with contextlib.ExitStack() as held:
        _ = [held.enter_context(socket.create_connection(address)) for _ in range(MAX_CLIENTS)]
        eventually(lambda: len(gateway_threads()) == MAX_CLIENTS + 2)
        one_more = held.enter_context(socket.create_connection(address, timeout=5))
        assert one_more.recv(1) == b""


def test_a_stop_ends_everything_at_once(provider, open_gateway, make_caller, anthropic):
    held = streamed(anthropic, TOKENS, held_at=1)
    unanswered = Reply(held_before_head=True)
    provider.replies.extend([held, unanswered, Reply(status=500)])
    gateway = open_gateway(anthropic)
    idle, streaming, waiting = (make_caller(gateway) for _ in range(3))
    idle.send("GET", "/nowhere")
    stream = streaming.open("POST", anthropic.path, json.dumps(anthropic.request(stream=True)))
    stream.read1()
    waiting.begin(anthropic, stream=True)
    assert unanswered.is_holding.wait(5)
    began_at = time.monotonic()
    gateway.stop()
    assert time.monotonic() - began_at < 1
    assert gateway_threads() == []
    assert held.was_left.wait(1)
    assert unanswered.was_left.wait(1)
    with pytest.raises(IncompleteRead):
        stream.read()


def test_what_a_stop_interrupts_is_counted(provider, open_gateway, make_caller, anthropic):
    provider.replies.append(streamed(anthropic, TOKENS, held_at=1))
    gateway = open_gateway(anthropic)
    make_caller(gateway).open("POST", anthropic.path, json.dumps(anthropic.request(stream=True))).read1()
    gateway.stop()
    assert gateway.reading.usage == Usage(1_013, 207, 0, 1)
    assert gateway.trouble is None


def test_a_stop_does_not_wait_for_a_provider_that_cannot_be_reached(
    deaf, open_gateway, make_caller, anthropic, eventually
):
    gateway = open_gateway(anthropic, base_url=deaf)
    make_caller(gateway).begin(anthropic, stream=True)
    eventually(lambda: gateway.reading.calls == 1)
    began_at = time.monotonic()
    gateway.stop()
    assert time.monotonic() - began_at < 1
    assert gateway_threads() == []


def test_a_stop_leaves_no_socket(provider, open_gateway, make_caller, anthropic, open_sockets):
    provider.replies.append(streamed(anthropic, TOKENS))
    before = open_sockets()
    gateway = open_gateway(anthropic)
    caller = make_caller(gateway)
    caller.ask(anthropic, stream=True)
    gateway.stop()
    caller.close()
    assert open_sockets() - before == set()


def test_nothing_is_opened_after_a_stop():
    sockets, late = OpenSockets(), socket.socket()
    sockets.end_all()
    with pytest.raises(ClientGone):
        sockets.add(late)
    assert late.fileno() == -1


def test_a_second_stop_does_nothing(gateway):
    gateway.stop()
    gateway.stop()
    assert gateway_threads() == []


def test_after_a_stop_nobody_is_answered(gateway, caller, anthropic):
    gateway.stop()
    with pytest.raises(ConnectionRefusedError):
        caller.ask(anthropic, stream=True)


def test_a_client_that_finds_no_thread_costs_the_gateway_nothing_else(open_gateway, anthropic, monkeypatch, eventually):
    """As where the agent has taken all the processes that there may be."""
    told = RecordingWatcher()
    gateway = open_gateway(anthropic, watcher=told)

    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))):
        eventually(lambda: len(told.defects) == 1)
    gateway.stop()
    assert gateway_threads() == []
