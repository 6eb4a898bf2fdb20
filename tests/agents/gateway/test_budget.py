"""A run cannot use more than its budget, but for the margin that an answer under way may end in."""

import json
import time
from dataclasses import replace

import pytest

from outpost_runner.gateway.meter import Budget
from outpost_runner.gateway.usage import Price, Usage

from .dialects import DIALECTS, Tokens
from .scripted_provider import Reply, failing, streamed, whole

# 100 tokens that cost 500 micro-dollars.
HUNDRED = Tokens(fresh=100)
EVERY_DIALECT = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
# What is used up after two such answers, and not after one.
BUDGETS = pytest.mark.parametrize(
    ("budget", "limit"),
    [
        (Budget(max_cost_microusd=1_000), "$0.001000"),
        (Budget(max_tokens=200), "200 tokens"),
        (Budget(max_cost_microusd=1_000, max_tokens=1_000_000), "$0.001000 and 1,000,000 tokens"),
    ],
)


@EVERY_DIALECT
@BUDGETS
def test_a_call_after_the_budget_is_refused_for_good(dialect, budget, limit, provider, open_gateway, make_caller):
    provider.replies.append(whole(dialect, HUNDRED))
    gateway = open_gateway(dialect, budget=budget)
    caller = make_caller(gateway)
    statuses = [caller.ask(dialect, stream=False).status for _ in range(2)]
    assert statuses == [200, 200]
    assert not gateway.budget_exceeded.is_set()
    refusal = caller.ask(dialect, stream=True)
    assert refusal.status == 402
    assert refusal.fields["error"]["message"].startswith(f"BUDGET_EXCEEDED: this run's budget of {limit} is used up")
    assert gateway.budget_exceeded.is_set()
    assert len(provider.seen) == gateway.reading.calls == 2


def test_without_a_budget_nothing_is_refused(provider, caller, gateway, anthropic, watcher):
    provider.replies.append(whole(anthropic, Tokens(fresh=1_000_000_000)))
    statuses = [caller.ask(anthropic, stream=False).status for _ in range(2)]
    assert statuses == [200, 200]
    assert watcher.warnings == []


def test_a_budget_of_nothing_lets_no_call_through(provider, open_gateway, make_caller, anthropic):
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=0))
    assert make_caller(gateway).ask(anthropic, stream=False).status == 402
    assert provider.seen == []


def test_a_model_whose_prompts_cost_nothing_is_refused_too_when_all_is_spent(
    provider, open_gateway, make_caller, anthropic
):
    provider.replies.append(whole(anthropic, Tokens(visible=10)))
    price = Price(0, 0, 0, 100_000_000)
    gateway = open_gateway(anthropic, prices={anthropic.model: price}, budget=Budget(max_cost_microusd=1_000))
    caller = make_caller(gateway)
    statuses = [caller.ask(anthropic, stream=False).status for _ in range(2)]
    assert statuses == [200, 402]


def test_a_prompt_that_alone_is_too_dear_is_not_sent(provider, open_gateway, make_caller, anthropic):
    provider.replies.append(whole(anthropic, HUNDRED))
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=1_000))
    caller = make_caller(gateway)
    assert caller.ask(anthropic, stream=False, system="x" * 20_000).status == 402
    assert gateway.budget_exceeded.is_set()
    assert provider.seen == []


def an_image(content):
    source = {"type": "base64", "media_type": "image/png", "data": content}
    return [{"role": "user", "content": [{"type": "image", "source": source}]}]


def test_a_large_image_is_no_dear_prompt(provider, open_gateway, make_caller, anthropic):
    provider.replies.append(whole(anthropic, HUNDRED))
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=1_000))
    answer = make_caller(gateway).ask(anthropic, stream=False, messages=an_image("A" * 2_000_000))
    assert answer.status == 200


def test_an_image_that_its_client_left_counts_as_images_do(provider, open_gateway, make_caller, anthropic, eventually):
    held = whole(anthropic, HUNDRED, held_before_head=True)
    provider.replies.append(held)
    gateway = open_gateway(anthropic)
    leaving = make_caller(gateway)
    leaving.begin(replace(anthropic, body={**anthropic.body, "messages": an_image("A" * 2_000_000)}), stream=False)
    assert held.is_holding.wait(5)
    leaving.close()
    eventually(lambda: gateway.reading.estimated_calls == 1)
    assert 2_000 < gateway.reading.usage.input_tokens < 2_100


def test_calls_under_way_are_part_of_what_is_used(provider, open_gateway, make_caller, anthropic):
    held = streamed(anthropic, Tokens(fresh=1_000), held_at=1)
    provider.replies.append(held)
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=1_000))
    first = make_caller(gateway).open("POST", anthropic.path, json.dumps(anthropic.request(stream=True)))
    first.read1()
    assert make_caller(gateway).ask(anthropic, stream=True).status == 402
    held.release.set()
    assert b"message_stop" in first.read()


def test_a_stream_is_cut_past_the_margin(provider, open_gateway, make_caller, anthropic):
    """The prompt is within the margin of 1,100 tokens; the text of the second event, by its size, is not."""
    provider.replies.append(streamed(anthropic, Tokens(fresh=1_050, visible=1), "x" * 400, held_at=2))
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=1_000))
    answer = make_caller(gateway).ask(anthropic, stream=True)
    assert not answer.is_whole
    assert answer.body == anthropic.events(Tokens(fresh=1_050, visible=1), "")[0]
    assert gateway.budget_exceeded.is_set()
    assert provider.replies[0].was_left.wait(1)
    assert gateway.reading.usage == Usage(input_tokens=1_050, output_tokens=100)


def test_a_stream_that_ends_within_the_margin_ends_well(provider, open_gateway, make_caller, anthropic):
    provider.replies.append(streamed(anthropic, Tokens(fresh=1_090, visible=10), "x" * 40))
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=1_000))
    assert make_caller(gateway).ask(anthropic, stream=True).is_whole
    assert not gateway.budget_exceeded.is_set()


@pytest.mark.parametrize(("name", "number"), [("responses", 1), ("chat", 0), ("google", 0)])
def test_a_stream_without_figures_is_cut_by_the_size_of_its_text(name, number, provider, open_gateway, make_caller):
    """Each event holds 100 tokens by their size."""
    dialect = DIALECTS[name]
    text = dialect.events(Tokens(), "x" * 400)[number]
    provider.replies.append(Reply([text] * 20))
    gateway = open_gateway(dialect, budget=Budget(max_tokens=1_000))
    answer = make_caller(gateway).ask(dialect, stream=True)
    assert not answer.is_whole
    assert gateway.budget_exceeded.is_set()
    assert 1_100 <= gateway.reading.usage.output_tokens <= 1_200


def test_a_whole_answer_is_paid_for_and_passes(provider, open_gateway, make_caller, anthropic):
    provider.replies.append(whole(anthropic, Tokens(visible=25_000), "x" * 100_000))
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=1_000))
    assert make_caller(gateway).ask(anthropic, stream=False).is_whole
    assert gateway.reading.usage == Usage(output_tokens=25_000)


def test_four_fifths_of_the_budget_are_told_once(provider, open_gateway, make_caller, anthropic, watcher):
    provider.replies.append(whole(anthropic, HUNDRED))
    caller = make_caller(open_gateway(anthropic, budget=Budget(max_tokens=500)))
    for_three = [caller.ask(anthropic, stream=False).status for _ in range(3)]
    assert (for_three, watcher.warnings) == ([200, 200, 200], [])
    for_two = [caller.ask(anthropic, stream=False).status for _ in range(2)]
    assert for_two == [200, 200]
    assert [reading.usage.total_tokens for reading in watcher.warnings] == [400]


def test_four_fifths_of_the_budget_are_told_in_the_middle_of_an_answer(
    provider, open_gateway, make_caller, anthropic, watcher
):
    held = streamed(anthropic, Tokens(fresh=800), held_at=1)
    provider.replies.append(held)
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=1_000))
    response = make_caller(gateway).open("POST", anthropic.path, json.dumps(anthropic.request(stream=True)))
    response.read1()
    assert len(watcher.warnings) == 1
    held.release.set()
    response.read()
    assert len(watcher.warnings) == 1


def test_errors_use_nothing_up(provider, open_gateway, make_caller, anthropic):
    provider.replies.append(failing(529))
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=1_000))
    caller = make_caller(gateway)
    statuses = {caller.ask(anthropic, stream=False, system="x" * 10_000).status for _ in range(5)}
    assert statuses == {529}
    assert not gateway.budget_exceeded.is_set()


@pytest.fixture
def one_under_way(provider, anthropic):
    """The reply to a call that may write 100 tokens, until it is released."""
    held = whole(anthropic, HUNDRED, held_before_head=True)
    provider.replies.extend([held, whole(anthropic, HUNDRED)])
    yield held
    held.release.set()


def begin_two(gateway, make_caller, dialect, held):
    """The clients of the call under way and of another beside it."""
    first, second = make_caller(gateway), make_caller(gateway)
    first.begin(dialect, stream=False)
    assert held.is_holding.wait(5)
    second.begin(dialect, stream=False)
    return first, second


def test_a_call_that_would_not_fit_beside_another_waits_for_its_end(
    one_under_way, provider, open_gateway, make_caller, anthropic, eventually
):
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=115))
    begin_two(gateway, make_caller, anthropic, one_under_way)
    time.sleep(0.3)
    assert len(provider.seen) == 1
    one_under_way.release.set()
    eventually(lambda: len(provider.seen) == 2)


def test_calls_that_fit_together_are_under_way_together(
    one_under_way, provider, open_gateway, make_caller, anthropic, eventually
):
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=1_000))
    begin_two(gateway, make_caller, anthropic, one_under_way)
    eventually(lambda: len(provider.seen) == 2)


def test_a_call_that_says_nothing_of_its_length_may_be_long(
    one_under_way, provider, open_gateway, make_caller, anthropic
):
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=100_000))
    first, second = make_caller(gateway), make_caller(gateway)
    first.begin(replace(anthropic, body=anthropic.body | {"max_tokens": None}), stream=False)
    assert one_under_way.is_holding.wait(5)
    second.begin(anthropic, stream=False)
    time.sleep(0.3)
    assert len(provider.seen) == 1


@pytest.mark.parametrize("name", ["max_output_tokens", "maxOutputTokens", "max_completion_tokens"])
def test_a_limit_that_its_provider_does_not_know_is_none(name, provider, open_gateway, make_caller):
    dialect = DIALECTS["deepseek"]
    held = whole(dialect, HUNDRED, held_before_head=True)
    provider.replies.append(held)
    gateway = open_gateway(dialect, budget=Budget(max_tokens=100_000))
    endless = replace(dialect, body={**dialect.body, name: 1, "generationConfig": {name: 1}})
    begin_two(gateway, make_caller, endless, held)
    time.sleep(0.3)
    assert len(provider.seen) == 1
    held.release.set()


def test_a_call_whose_client_left_while_it_waited_is_not_made(
    one_under_way, provider, open_gateway, make_caller, anthropic, eventually
):
    gateway = open_gateway(anthropic, budget=Budget(max_tokens=115))
    first, second = begin_two(gateway, make_caller, anthropic, one_under_way)
    time.sleep(0.1)
    second.close()
    time.sleep(0.5)
    one_under_way.release.set()
    eventually(lambda: gateway.reading.usage.total_tokens == 100)
    first.close()
    gateway.stop()
    assert len(provider.seen) == gateway.reading.calls == 1
