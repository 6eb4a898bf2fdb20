"""An agent with a provider: the runner's gateway between them, its meter, its budget, and what the end is called."""

from collections.abc import Callable, Iterator

import pytest

from .gateway.scripted_provider import ScriptedProvider, failing, streamed
from .scripted_platform import NO_CREDENTIALS
from .stand_in import ANTHROPIC, CALL, CALL_MICROUSD, CANARY, claim_models, give_orders, install

Work = Callable[..., object]


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    serving = ScriptedProvider()
    serving.replies.append(streamed(ANTHROPIC, CALL))
    yield serving
    serving.close()


@pytest.fixture
def work(run, platform, provider, tmp_path) -> Work:
    """Run the orders in place of Claude Code, to the end."""
    claim_models(platform, provider.url)
    environment = install(tmp_path / "bin")
    return lambda orders, **claim: run(give_orders(orders), environment, **claim)


def error_of(platform):
    return platform.completion["error"]["code"]


def test_what_an_agent_uses_is_in_the_report_to_the_token(work, platform):
    assert work("ask(); ask(); end('done')").process.returncode == 0
    assert platform.completion["usage"] == {
        "inputTokens": 2_000,
        "cachedInputTokens": 400,
        "cacheWriteTokens": 60,
        "outputTokens": 100,
        "calls": 2,
        "retries": 0,
        "estimatedCalls": 0,
        "costMicrousd": 2 * CALL_MICROUSD - 1,
    }
    assert platform.completion["result"]["summary"] == "done"


def test_what_is_used_is_told_while_the_agent_works(work, platform):
    work("ask(); time.sleep(1.5); end('done')")
    told = [call.body["usage"] for call in platform.calls_to("/runner/heartbeat")]
    assert CALL_MICROUSD in [usage["costMicrousd"] for usage in told if usage]


def test_a_budget_stops_the_agent_and_keeps_its_work(work, platform):
    runner = work(
        "open('kept.txt', 'w').write('kept')\nwhile True: ask(); time.sleep(0.01)",
        budget={"maxCostMicrousd": 3 * CALL_MICROUSD, "maxTokens": None},
    )
    assert (runner.process.returncode, error_of(platform)) == (14, "BUDGET_EXCEEDED")
    assert platform.completion["usage"]["calls"] == 3
    assert platform.completion["result"]["filesChanged"] == 1


def test_four_fifths_of_a_budget_are_told_at_once(work, platform):
    work(
        "ask(); time.sleep(0.4); end('done')", budget={"maxCostMicrousd": 8_000, "maxTokens": None}, heartbeatSeconds=30
    )
    told = [call.body["usage"] for call in platform.calls_to("/runner/heartbeat")]
    assert CALL_MICROUSD in [usage["costMicrousd"] for usage in told if usage]


def test_a_call_that_just_fits_its_budget_is_a_success(work, platform):
    assert (
        work("ask(); end('done')", budget={"maxCostMicrousd": CALL_MICROUSD, "maxTokens": None}).process.returncode == 0
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "PROVIDER_AUTH_FAILED"), (429, "PROVIDER_UNAVAILABLE"), (529, "PROVIDER_UNAVAILABLE")],
)
@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_provider_that_fails_is_blamed_whatever_the_agent_ends_with(
    work, platform, provider, status, code, exit_code
):
    provider.replies[0] = failing(status)
    runner = work(f"ask(); end('no', is_error=True); sys.exit({exit_code})")
    assert (runner.process.returncode, error_of(platform)) == (15, code)


def test_the_moment_at_which_a_provider_wants_to_be_asked_again_is_told(work, platform, provider):
    provider.replies[0] = failing(429, retry_after="120")
    work("ask(); end('no', is_error=True)")
    assert "It asks not to be called before 20" in platform.completion["error"]["message"]


def test_an_agent_that_gets_over_its_providers_failure_succeeds(work, platform, provider):
    provider.replies.appendleft(failing(529))
    assert work("ask(); ask(); end('done')").process.returncode == 0
    assert platform.completion["usage"]["retries"] == 1


def test_an_agent_that_says_that_it_failed_has_failed(work, platform):
    work("ask(); end('I gave up', is_error=True)")
    assert platform.completion["error"] == {"code": "AGENT_FAILED", "message": "The agent did not finish. I gave up"}


def test_an_agent_that_says_nothing_at_its_end_did_not_finish(work, platform):
    work("ask()")
    assert error_of(platform) == "AGENT_FAILED"


def test_a_result_is_read_though_the_log_stands_still(start, platform, provider, tmp_path):
    claim_models(platform, provider.url)
    platform.claim["limits"]["outputBytes"] = 2_000_000
    orders = "ask(); time.sleep(1); print(('x' * 900 + '\\n') * 1550); end('done')"
    runner = start(give_orders(orders), install(tmp_path / "bin"))
    platform.wait_for_phase("running")
    runner.stand_still()
    assert runner.wait() == 0
    assert platform.completion["result"]["summary"] == "done"


def test_an_agent_that_never_asked_its_model_did_nothing(work, platform):
    work("end('done')")
    assert platform.completion["error"]["message"] == "The agent ended without a single call of its model."


def test_another_key_than_the_runs_own_is_refused(work, platform, provider):
    work("open('status', 'w').write(str(ask(key='sk-something-else'))); ask(); end('done')")
    assert len(provider.seen) == 1


def test_the_providers_key_is_nowhere_within_the_agents_reach(work, platform, provider):
    orders = f"""
ask()
names = [os.path.join(folder, name) for folder, _, names in os.walk(os.path.dirname(os.getcwd())) for name in names]
seen = [str(dict(os.environ)).encode(), reads('/proc/self/environ'), *map(reads, names)]
canary = b'{CANARY[:11]}' + b'{CANARY[11:]}'
end('found' if any(canary in text for text in seen) else 'not found')
"""
    runner = work(orders)
    assert platform.completion["result"]["summary"] == "not found"
    assert provider.seen[0].headers["x-api-key"] == CANARY
    assert CANARY.encode() not in runner.raw
    assert all(CANARY not in str(call.body) for call in platform.calls)
    assert all(CANARY.encode() not in stored for stored in platform.objects.values())


def test_a_secret_that_a_run_needs_and_nobody_has_begins_nothing(work, platform, provider):
    credentials = NO_CREDENTIALS | {"missing": ["anthropic", "NPM_TOKEN"]}
    assert work("end('done')", credentials=credentials).process.returncode == 12
    assert platform.completion["error"] == {
        "code": "SECRET_NOT_FOUND",
        "message": "There is no secret: anthropic, NPM_TOKEN.",
    }


def test_a_secret_is_in_the_agents_environment_and_redacted_from_what_it_says(work, platform):
    platform.claim["credentials"]["environment"] = {"NPM_TOKEN": "npm-canary-42"}
    runner = work("ask(); print(os.environ['NPM_TOKEN'], flush=True); end('It is ' + os.environ['NPM_TOKEN'])")
    assert platform.completion["result"]["summary"] == "It is [redacted]"
    assert b"npm-canary-42" not in runner.raw
    assert "[redacted]" in runner.lines("stdout")


def test_a_secret_does_not_take_the_place_of_what_the_runner_sets(work, platform):
    platform.claim["credentials"]["environment"] = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "HOME": "/elsewhere"}
    assert work("ask(); end(os.environ['HOME'])").process.returncode == 0
    assert platform.completion["result"]["summary"] != "/elsewhere"


def test_a_provider_that_nobody_knows_begins_nothing(work, platform):
    platform.claim["credentials"]["provider"]["name"] = "nobody"
    work("end('done')")
    assert error_of(platform) == "AGENT_START_FAILED"


def test_a_cancel_ends_a_call_in_the_middle(start, platform, provider, tmp_path):
    provider.replies[0] = streamed(ANTHROPIC, CALL, held_at=2)
    claim_models(platform, provider.url)
    runner = start(give_orders("ask(); end('done')"), install(tmp_path / "bin"))
    assert provider.replies[0].is_holding.wait(10)
    runner.terminate()
    assert runner.wait() == 143
    assert provider.replies[0].was_left.wait(5)
    assert platform.completion["usage"]["inputTokens"] == 1_000
