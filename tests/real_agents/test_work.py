"""What a real agent does for a run, and what the run says of it."""

import os
import re
import subprocess

import pytest
from deployment import ROOT

from outpost.domain.agents import AGENTS

from ..agents.repository import apply_to_fresh_checkout
from .playing import NOTE, TASK
from .provider.model_provider import Sent
from .provider.steps import Refuse, Say

LOCKED = re.compile(r'"@[\w/.-]+": "([\d.]+)"|^[\w-]+==([\d.]+)$', re.MULTILINE)
NASTY_TASK = """help "double' $(touch executed) `touch executed` ; touch executed & touch executed | cat > executed
!touch executed
/run touch executed
--version -p @nothing.txt %s %n ${HOME} $HOME ~ * ? [a] {b,c} \\\\ \\n \\u0041 <!-- </task> é 漢字 🦙 \x07
'; touch executed; echo '" && touch executed
EOF
"""


@pytest.mark.shows("version")
def test_the_installed_command_line_is_the_locked_one(agent, tmp_path, record_property):
    lock = next(
        path for path in (ROOT / "agents" / agent).iterdir() if path.name in {"package.json", "requirements.in"}
    )
    locked = "".join(LOCKED.findall(lock.read_text())[0])
    environment = {"PATH": f"{ROOT}/.agents/bin:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        [agent, "--version"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    record_property("text", locked)
    assert locked in done.stdout


@pytest.mark.shows("edit")
def test_its_edits_become_a_patch(agent, edited, caller, repository, tmp_path):
    assert edited.end == ("COMPLETED", None)
    checkout = apply_to_fresh_checkout(repository, caller.patch(edited.run_id), tmp_path / "checkout")
    assert (checkout / "README.md").read_text() == "# A site\n\nnew words\n"
    assert (checkout / "made.txt").read_text() == "made by the agent\n"


@pytest.mark.shows("edit")
def test_its_last_words_are_the_summary(agent, edited):
    assert "The words are new." in edited.run["result"]["summary"].splitlines()


@pytest.mark.shows("usage exact")
def test_its_usage_is_what_the_provider_sent_to_the_token(agent, edited):
    assert edited.script.sent
    assert {name: edited.run["usage"][name] for name in expected_usage(agent, [])} == expected_usage(
        agent, edited.script.sent
    )


def expected_usage(agent: str, sent: list[Sent]) -> dict[str, float]:
    model = AGENTS[agent].models[0]
    assert {each.model for each in sent} <= set(model.provider_names)
    tokens = {
        "inputTokens": sum(each.tokens.fresh for each in sent),
        "cachedInputTokens": sum(each.tokens.cached for each in sent),
        "cacheWriteTokens": sum(each.tokens.written for each in sent),
        "outputTokens": sum(each.tokens.output for each in sent),
    }
    price = model.price
    prices = (
        price.input_microusd,
        price.cached_input_microusd,
        price.cache_write_microusd,
        price.output_microusd,
    )
    picousd = sum(count * microusd for count, microusd in zip(tokens.values(), prices, strict=True))
    return {**tokens, "modelCalls": len(sent), "modelCostUsd": -(-picousd // 1_000_000) / 1_000_000}


@pytest.fixture(scope="session")
def told(player):
    """A run whose task is not for a shell, without any context."""
    return player.play(Say("I have read it."), task=f"/{NASTY_TASK}", context="off")


@pytest.fixture(scope="session")
def limited(player):
    """A run whose provider is too busy at first, and whose task begins as a command of the shell."""
    return player.play(
        Refuse(429, {"retry-after": "1"}),
        Say("I have read it.", pause_seconds=0.05),
        task=f"!{NASTY_TASK}",
        context="off",
    )


@pytest.mark.shows("task text")
def test_a_task_full_of_shell_reaches_the_model_as_it_is_and_runs_nothing(agent, told):
    assert told.end == ("COMPLETED", None)
    assert any(f"/{NASTY_TASK}" in text for text in told.script.texts())
    assert told.run["result"]["filesChanged"] == 0


@pytest.mark.shows("task text")
def test_a_task_that_begins_as_a_command_runs_nothing_either(agent, limited):
    assert any(f"!{NASTY_TASK}" in text for text in limited.script.texts())
    assert limited.run["result"]["filesChanged"] == 0


@pytest.mark.shows("outage")
def test_it_gets_over_a_provider_that_is_too_busy_for_a_moment(agent, limited):
    assert limited.end == ("COMPLETED", None)
    assert limited.run["usage"]["modelRetries"] == 1


@pytest.mark.shows("context")
def test_the_repositorys_instructions_come_before_the_task(agent, edited):
    prompts = [text for text in edited.script.texts() if NOTE in text and TASK in text]
    assert prompts
    assert [text for text in prompts if text.index(NOTE) > text.index(TASK)] == []


@pytest.mark.shows("context")
def test_without_context_nothing_of_the_repositorys_instructions_reaches_the_model(agent, told):
    assert [text for text in told.script.texts() if NOTE in text] == []
