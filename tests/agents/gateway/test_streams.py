"""A stream passes at once, and an end that came too early is seen to be one."""

import json
import statistics
import time

import pytest

from outpost_runner.gateway.relay import MAX_ANSWER_BYTES
from outpost_runner.gateway.upstream import Timeouts
from outpost_runner.gateway.usage import Usage

from .caller import Caller, blocks, exchange_bytes, request_bytes
from .dialects import DIALECTS, TEXT, Tokens, event
from .scripted_provider import Ending, Reply, as_json, streamed, whole

TOKENS = Tokens(fresh=1_000, cached=200, visible=50)
MEASURED_CALLS = 40
PROMPT = "x" * 100_000

every_dialect = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())


def first_byte_seconds(caller, dialect):
    began_at = time.monotonic()
    response = caller.open("POST", dialect.path, json.dumps(dialect.request(stream=True, system=PROMPT)))
    arrivals = [moment for moment, _ in blocks(response)]
    return arrivals[0] - began_at


def test_each_event_arrives_before_the_next_is_sent(provider, caller, anthropic):
    reply = streamed(anthropic, TOKENS, held_at=2)
    provider.replies.append(reply)
    coming = blocks(caller.open("POST", anthropic.path, json.dumps(anthropic.request(stream=True))))
    first, second = next(coming)[1], next(coming)[1]
    assert not reply.release.is_set()
    assert [first, second] == reply.blocks[:2]
    reply.release.set()
    assert [block for _, block in coming] == reply.blocks[2:]


def test_the_first_byte_is_late_by_less_than_five_milliseconds(provider, caller, anthropic, record_property):
    """The difference between calls to the provider itself and calls through the gateway, taken in turn."""
    provider.replies.append(streamed(anthropic, TOKENS))
    direct = Caller(provider.url, "any")
    pairs = [
        (first_byte_seconds(direct, anthropic), first_byte_seconds(caller, anthropic)) for _ in range(MEASURED_CALLS)
    ]
    direct.close()
    late_by = statistics.median(through - straight for straight, through in pairs)
    record_property("late_by_milliseconds", late_by * 1000)
    assert late_by < 0.005


@every_dialect
@pytest.mark.parametrize("ending", [Ending.NO_LAST_CHUNK, Ending.LENGTH_NOT_REACHED, Ending.CLOSED])
def test_a_stream_that_the_provider_cuts_is_seen_to_be_cut(dialect, ending, provider, open_gateway, make_caller):
    provider.replies.append(Reply(dialect.events(TOKENS, TEXT)[:1], ending=ending))
    answer = make_caller(open_gateway(dialect)).ask(dialect, stream=True)
    assert (answer.status, answer.is_whole) == (200, False)


def test_nothing_follows_the_last_block_of_a_cut_stream(provider, gateway, anthropic):
    block = anthropic.events(TOKENS, TEXT)[0]
    provider.replies.append(Reply([block], ending=Ending.NO_LAST_CHUNK))
    body = json.dumps(anthropic.request(stream=True))
    answer = exchange_bytes(gateway, request_bytes(gateway, f"content-length: {len(body)}", body=body))
    assert answer.partition(b"\r\n\r\n")[2] == b"%x\r\n%b\r\n" % (len(block), block)


def test_a_cut_stream_counts_what_the_provider_stated(provider, caller, gateway, anthropic):
    provider.replies.append(Reply(anthropic.events(TOKENS, TEXT)[:1], ending=Ending.NO_LAST_CHUNK))
    caller.ask(anthropic, stream=True)
    assert gateway.reading.usage == Usage(input_tokens=1_000, cached_input_tokens=200, output_tokens=1)
    assert gateway.reading.estimated_calls == 0


def test_a_cut_stream_counts_the_text_that_came_when_it_is_more_than_was_stated(provider, caller, gateway, anthropic):
    provider.replies.append(Reply(anthropic.events(TOKENS, "y" * 401)[:2], ending=Ending.NO_LAST_CHUNK))
    caller.ask(anthropic, stream=True)
    assert gateway.reading.usage == Usage(input_tokens=1_000, cached_input_tokens=200, output_tokens=101)
    assert gateway.reading.estimated_calls == 1


def test_googles_figures_so_far_count_for_a_cut_stream(provider, open_gateway, make_caller):
    dialect = DIALECTS["google"]
    provider.replies.append(Reply(dialect.events(TOKENS, "hi")[:1], ending=Ending.NO_LAST_CHUNK))
    gateway = open_gateway(dialect)
    make_caller(gateway).ask(dialect, stream=True)
    assert gateway.reading.usage == Usage(input_tokens=1_200, output_tokens=1)


@pytest.mark.parametrize("name", ["responses", "chat", "deepseek", "xai"])
def test_a_cut_stream_that_stated_nothing_is_estimated_from_its_bytes(name, provider, open_gateway, make_caller):
    dialect = DIALECTS[name]
    provider.replies.append(Reply(dialect.events(TOKENS, "y" * 401)[:2], ending=Ending.NO_LAST_CHUNK))
    gateway = open_gateway(dialect)
    make_caller(gateway).ask(dialect, stream=True)
    assert gateway.reading.usage == Usage(input_tokens=-(-len(provider.seen[0].body) // 4), output_tokens=101)
    assert gateway.reading.estimated_calls == 1


CODE = '{"path": "a", "content": "é"}'
TOOL_CALLS = {
    "anthropic": {
        "type": "content_block_delta",
        "delta": {"type": "input_json_delta", "partial_json": CODE},
    },
    "responses": {"type": "response.function_call_arguments.delta", "delta": CODE},
    "chat": {
        "object": "chat.completion.chunk",
        "choices": [{"delta": {"content": None, "tool_calls": [{"function": {"arguments": CODE}}]}}],
    },
}


@pytest.mark.parametrize("name", TOOL_CALLS)
def test_what_a_tool_is_called_with_is_output(name, provider, open_gateway, make_caller):
    dialect = DIALECTS[name]
    provider.replies.append(Reply([event(TOOL_CALLS[name])], ending=Ending.NO_LAST_CHUNK))
    gateway = open_gateway(dialect)
    make_caller(gateway).ask(dialect, stream=True)
    assert gateway.reading.usage.output_tokens == -(-len(CODE.encode()) // 4)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_takes_the_providers_call_with_it(
    stream, provider, make_caller, gateway, anthropic, eventually
):
    reply = streamed(anthropic, TOKENS, held_at=3)
    provider.replies.append(reply)
    leaving = make_caller(gateway)
    leaving.begin(anthropic, stream=stream)
    assert reply.is_holding.wait(5)
    leaving.close()
    assert reply.was_left.wait(1)
    eventually(lambda: gateway.reading.usage.input_tokens == 1_000)


def test_a_client_that_leaves_before_the_answer_pays_for_its_prompt(
    provider, make_caller, gateway, anthropic, eventually
):
    reply = whole(anthropic, TOKENS, held_before_head=True)
    provider.replies.append(reply)
    leaving = make_caller(gateway)
    leaving.begin(anthropic, stream=False)
    assert reply.is_holding.wait(5)
    leaving.close()
    eventually(lambda: gateway.reading.estimated_calls == 1)
    assert gateway.reading.usage == Usage(input_tokens=-(-len(json.dumps(anthropic.body)) // 4))
    assert gateway.trouble is None


@pytest.mark.parametrize(
    "reply",
    [
        Reply(held_before_head=True),
        Reply(ending=Ending.NO_ANSWER),
        as_json({"request_id": "a"}, status=202),
        as_json({}, headers={"content-encoding": "gzip"}),
    ],
    ids=["silence", "a lost connection", "another status", "a compressed answer"],
)
def test_a_request_that_was_sent_counts_though_its_answer_is_lost(
    reply, provider, open_gateway, make_caller, anthropic
):
    """The provider may have worked on it, and charges for that."""
    provider.replies.append(reply)
    gateway = open_gateway(anthropic, timeouts=Timeouts(silence_seconds=0.2))
    make_caller(gateway).ask(anthropic, stream=False)
    assert gateway.reading.usage == Usage(input_tokens=-(-len(json.dumps(anthropic.body)) // 4))
    assert gateway.reading.estimated_calls == 1


def test_a_client_that_leaves_before_the_provider_is_reached_pays_nothing(
    deaf, open_gateway, make_caller, anthropic, watcher, eventually
):
    gateway = open_gateway(anthropic, base_url=deaf)
    leaving = make_caller(gateway)
    leaving.begin(anthropic, stream=True)
    eventually(lambda: gateway.reading.calls == 1)
    leaving.close()
    eventually(lambda: len(watcher.reports) == 1)
    assert gateway.reading.usage == Usage()
    assert gateway.trouble is None


def test_a_client_that_sends_more_than_it_was_asked_for_is_still_answered(provider, gateway, make_caller, anthropic):
    reply = streamed(anthropic, TOKENS, held_at=1)
    provider.replies.append(reply)
    hasty = make_caller(gateway)
    response = hasty.open("POST", anthropic.path, json.dumps(anthropic.request(stream=True)))
    assert reply.is_holding.wait(5)
    hasty.add(b"GET / HTTP/1.1\r\n")
    reply.release.set()
    assert b"".join(block for _, block in blocks(response)) == b"".join(reply.blocks)


def test_a_provider_that_falls_silent_is_given_up(provider, open_gateway, make_caller, anthropic):
    provider.replies.append(streamed(anthropic, TOKENS, held_at=2))
    gateway = open_gateway(anthropic, timeouts=Timeouts(silence_seconds=0.2))
    answer = make_caller(gateway).ask(anthropic, stream=True)
    assert not answer.is_whole
    assert gateway.reading.usage.input_tokens == 1_000


def test_an_answer_without_end_is_cut(provider, caller, anthropic):
    block = b": " + b"x" * (8 * 1024 * 1024) + b"\n\n"
    provider.replies.append(Reply([block] * (MAX_ANSWER_BYTES // len(block) + 2)))
    answer = caller.ask(anthropic, stream=True)
    assert not answer.is_whole
    assert len(answer.body) <= MAX_ANSWER_BYTES


def test_an_error_without_end_is_cut(provider, caller, anthropic):
    provider.replies.append(as_json("x" * (2 * 1024 * 1024), status=500))
    assert caller.ask(anthropic, stream=True).status == 502


def test_a_whole_answer_that_is_cut_is_estimated_from_its_size(provider, caller, gateway, anthropic):
    reply = whole(anthropic, TOKENS, ending=Ending.LENGTH_NOT_REACHED)
    provider.replies.append(reply)
    assert not caller.ask(anthropic, stream=False).is_whole
    assert gateway.reading.usage.output_tokens == -(-len(reply.blocks[0]) // 4)
    assert gateway.reading.estimated_calls == 1
