"""Every protocol's own figures are counted, to the token and to the micro-dollar."""

import json

import pytest

from outpost_runner.gateway.usage import Price, Usage

from .dialects import DIALECTS, TEXT, Tokens, event, google_chunks, responses_events
from .scripted_provider import Reply, as_json, streamed, whole

TOKENS = Tokens(fresh=1_013, cached=207, visible=31, reasoning=7)
WITH_WRITES = Tokens(fresh=1_013, cached=207, written=59, visible=31, reasoning=7)
USAGE = Usage(input_tokens=1_013, cached_input_tokens=207, output_tokens=38)
USAGE_WITH_WRITES = Usage(1_013, 207, 59, 38)
# 1,013 x 5 + 207 x 0.5 + 38 x 25 = 6,118.5 micro-dollars, and 59 x 6.25 = 368.75 more.
COST_MICROUSD = 6_119
COST_WITH_WRITES_MICROUSD = 6_488

every_dialect = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())


@every_dialect
def test_a_streamed_answer_is_counted_exactly(dialect, provider, open_gateway, make_caller):
    provider.replies.append(streamed(dialect, TOKENS))
    gateway = open_gateway(dialect)
    answer = make_caller(gateway).ask(dialect, stream=True)
    assert answer.body == b"".join(dialect.events(TOKENS, TEXT))
    assert gateway.reading.usage == USAGE
    assert gateway.reading.cost_microusd == COST_MICROUSD
    assert (gateway.reading.calls, gateway.reading.estimated_calls) == (1, 0)


@every_dialect
def test_a_whole_answer_is_counted_exactly(dialect, provider, open_gateway, make_caller):
    provider.replies.append(whole(dialect, TOKENS))
    gateway = open_gateway(dialect)
    answer = make_caller(gateway).ask(dialect, stream=False)
    assert answer.fields == dialect.whole(TOKENS, TEXT)
    assert gateway.reading.usage == USAGE
    assert gateway.reading.cost_microusd == COST_MICROUSD
    assert (gateway.reading.calls, gateway.reading.estimated_calls) == (1, 0)


@every_dialect
def test_a_text_with_fewer_tokens_than_its_size_suggests_counts_as_stated(dialect, provider, open_gateway, make_caller):
    provider.replies.append(streamed(dialect, TOKENS, "x" * 4_000))
    gateway = open_gateway(dialect)
    make_caller(gateway).ask(dialect, stream=True)
    assert gateway.reading.usage == USAGE
    assert gateway.reading.estimated_calls == 0


@pytest.mark.parametrize(("stream", "make_reply"), [(True, streamed), (False, whole)])
@pytest.mark.parametrize("name", ["anthropic", "responses", "chat"])
def test_what_is_written_to_a_cache_has_a_price(name, stream, make_reply, provider, open_gateway, make_caller):
    dialect = DIALECTS[name]
    provider.replies.append(make_reply(dialect, WITH_WRITES))
    gateway = open_gateway(dialect)
    make_caller(gateway).ask(dialect, stream=stream)
    assert gateway.reading.usage == USAGE_WITH_WRITES
    assert gateway.reading.cost_microusd == COST_WITH_WRITES_MICROUSD


@every_dialect
def test_a_stream_is_counted_however_it_is_cut_into_blocks(dialect, provider, open_gateway, make_caller):
    content = b"".join(dialect.events(TOKENS, TEXT))
    provider.replies.append(Reply([bytes([byte]) for byte in content]))
    gateway = open_gateway(dialect)
    answer = make_caller(gateway).ask(dialect, stream=True)
    assert answer.body == content
    assert gateway.reading.usage == USAGE


@pytest.mark.parametrize("last", ["incomplete", "failed"])
def test_a_response_that_did_not_complete_is_counted_too(last, provider, open_gateway, make_caller):
    dialect = DIALECTS["responses"]
    provider.replies.append(Reply(responses_events(TOKENS, TEXT, last)))
    gateway = open_gateway(dialect)
    make_caller(gateway).ask(dialect, stream=True)
    assert gateway.reading.usage == USAGE
    assert gateway.reading.estimated_calls == 0


def test_a_google_stream_that_comes_as_a_list_is_counted(provider, open_gateway, make_caller):
    dialect = DIALECTS["google"]
    provider.replies.append(as_json(google_chunks(TOKENS, TEXT)))
    gateway = open_gateway(dialect)
    make_caller(gateway).send("POST", dialect.stream_path.split("?")[0], json.dumps(dialect.body))
    assert gateway.reading.usage == USAGE
    assert gateway.reading.estimated_calls == 0


def test_google_tools_prompts_are_input(provider, open_gateway, make_caller):
    usage = {"promptTokenCount": 100, "toolUsePromptTokenCount": 20, "candidatesTokenCount": 3}
    provider.replies.append(as_json({"candidates": [{"finishReason": "STOP"}], "usageMetadata": usage}))
    gateway = open_gateway(DIALECTS["google"])
    make_caller(gateway).ask(DIALECTS["google"], stream=False)
    assert gateway.reading.usage == Usage(input_tokens=120, output_tokens=3)


def test_a_message_delta_that_corrects_the_prompt_counts(provider, caller, gateway, anthropic):
    corrected = {"input_tokens": 40, "cache_read_input_tokens": 30, "output_tokens": 9}
    first, *_, last = anthropic.events(TOKENS, TEXT)
    provider.replies.append(Reply([first, event({"type": "message_delta", "usage": corrected}), last]))
    caller.ask(anthropic, stream=True)
    assert gateway.reading.usage == Usage(input_tokens=40, cached_input_tokens=30, output_tokens=9)


@pytest.mark.parametrize("name", ["chat", "deepseek", "xai"])
@pytest.mark.parametrize("options", [None, {"include_usage": False}, {"include_obfuscation": False}])
def test_a_chat_stream_is_asked_for_its_usage(name, options, provider, open_gateway, make_caller):
    dialect = DIALECTS[name]
    provider.replies.append(streamed(dialect, TOKENS))
    make_caller(open_gateway(dialect)).ask(dialect, stream=True, stream_options=options)
    asked = {**dialect.request(stream=True), "stream_options": {**(options or {}), "include_usage": True}}
    assert provider.seen[0].fields == asked


def test_a_chat_stream_that_asks_for_its_usage_goes_on_byte_for_byte(provider, open_gateway, make_caller):
    dialect = DIALECTS["chat"]
    provider.replies.append(streamed(dialect, TOKENS))
    body = f' {{ "model":"{dialect.model}", "stream" : true, "stream_options":{{"include_usage":true}} }}'.encode()
    make_caller(open_gateway(dialect)).send("POST", dialect.path, body)
    assert provider.seen[0].body == body


def test_a_chat_answer_that_is_not_streamed_is_asked_for_nothing(provider, open_gateway, make_caller):
    dialect = DIALECTS["chat"]
    provider.replies.append(whole(dialect, TOKENS))
    make_caller(open_gateway(dialect)).ask(dialect, stream=False)
    assert provider.seen[0].fields == dialect.body


def test_a_request_that_needs_no_change_goes_on_byte_for_byte(provider, caller, anthropic):
    provider.replies.append(streamed(anthropic, TOKENS))
    body = f' {{ "model":"{anthropic.model}" , "stream":true, "text":"\\ud83d\\ude00 é" }}\n'.encode()
    caller.send("POST", anthropic.path, body)
    assert provider.seen[0].body == body


def test_parts_of_a_micro_dollar_are_added_up_before_they_are_rounded(provider, caller, gateway, anthropic):
    provider.replies.append(whole(anthropic, Tokens(cached=1)))
    caller.ask(anthropic, stream=False)
    assert gateway.reading.cost_microusd == 1
    caller.ask(anthropic, stream=False)
    assert gateway.reading.cost_microusd == 1
    caller.ask(anthropic, stream=False)
    assert gateway.reading.cost_microusd == 2


def test_an_answer_without_figures_is_estimated_and_marked(provider, caller, gateway, anthropic):
    provider.replies.append(as_json({"type": "message", "content": "x" * 366}))
    request = json.dumps(anthropic.request(stream=False))
    answer = caller.send("POST", anthropic.path, request)
    tokens = Usage(input_tokens=-(-len(request) // 4), output_tokens=len(answer.body) // 4)
    assert len(answer.body) == 400
    assert gateway.reading.usage == tokens
    assert gateway.reading.estimated_calls == 1


def test_figures_that_cannot_be_true_are_not_believed(provider, caller, gateway, anthropic):
    usage = {"input_tokens": -5, "cache_read_input_tokens": True, "output_tokens": 7}
    provider.replies.append(as_json({"type": "message", "usage": usage}))
    caller.ask(anthropic, stream=False)
    assert gateway.reading.usage == Usage(output_tokens=7)


def test_what_costs_nothing_is_not_counted(provider, caller, gateway, anthropic):
    provider.replies.append(as_json({"input_tokens": 1234}))
    assert caller.send("POST", "/v1/messages/count_tokens", json.dumps(anthropic.body)).fields == {"input_tokens": 1234}
    assert caller.send("GET", "/v1/models").status == 200
    assert gateway.reading.calls == 0
    assert gateway.reading.usage == Usage()


def test_what_a_call_under_way_has_used_is_in_the_reading(provider, caller, gateway, anthropic, watcher):
    held = streamed(anthropic, TOKENS, held_at=1)
    provider.replies.append(held)
    answer = caller.open("POST", anthropic.path, json.dumps(anthropic.request(stream=True)))
    answer.read1()
    assert gateway.reading.usage == watcher.readings[-1].usage == Usage(1_013, 207, 0, 1)
    # 1,013 x 5 + 207 x 0.5 + 1 x 25 micro-dollars.
    assert gateway.reading.cost_microusd == 5_194
    held.release.set()
    answer.read()
    assert gateway.reading.usage == USAGE


def test_each_model_has_its_own_price(provider, open_gateway, make_caller, anthropic):
    provider.replies.append(whole(anthropic, Tokens(fresh=1_000_000)))
    prices = {anthropic.model: Price(3, 0, 0, 0), "small": Price(500, 0, 0, 0)}
    gateway = open_gateway(anthropic, prices=prices, models=[anthropic.model, "small"])
    make_caller(gateway).ask(anthropic, stream=False)
    make_caller(gateway).ask(anthropic, stream=False, model="small")
    assert gateway.reading.cost_microusd == 503


def test_the_runner_hears_of_every_call(provider, caller, watcher, anthropic):
    provider.replies.append(streamed(anthropic, TOKENS))
    caller.ask(anthropic, stream=True)
    first, *_, last = [(reading.calls, reading.usage) for reading in watcher.readings]
    assert (first, last) == ((1, Usage()), (1, USAGE))
    (report,) = watcher.reports
    assert (report.model, report.status, report.usage, report.is_estimated) == (anthropic.model, 200, USAGE, False)
    assert 0 <= report.first_byte_ms <= report.total_ms < 5_000


def test_a_figure_that_no_call_can_reach_is_not_believed(provider, caller, gateway, anthropic):
    """It would be more than the broker takes, and cost the run its heartbeats and its report."""
    provider.replies.append(as_json({"type": "message", "usage": {"input_tokens": 10**18, "output_tokens": 7}}))
    caller.ask(anthropic, stream=False)
    assert gateway.reading.usage == Usage(output_tokens=7)


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_its_client_left_counts_by_the_time_it_took(
    stream, provider, open_gateway, make_caller, eventually
):
    """A model thinks unseen: the text that came by says little of what its answer costs."""
    dialect = DIALECTS["responses"]
    reply = streamed(dialect, TOKENS, held_at=1) if stream else whole(dialect, TOKENS, held_before_head=True)
    provider.replies.append(reply)
    gateway = open_gateway(dialect)
    caller = make_caller(gateway)
    caller.begin(dialect, stream=stream)
    assert not reply.was_left.wait(1.1)
    caller.close()
    eventually(lambda: gateway.reading.estimated_calls == 1)
    assert gateway.reading.usage.output_tokens == 50
