"""A provider's key reaches the provider, and nobody and nothing else."""

import pytest

from ..agents.repository import apply_to_fresh_checkout
from .playing import GIT_TOKEN, SEEN
from .traces import find_traces


@pytest.fixture
def canaries(provider):
    return (provider.key, GIT_TOKEN)


@pytest.fixture
def with_shell(agent):
    """An agent that runs commands for its model."""
    if agent == "aider":
        pytest.skip("it runs nothing for its model")
    return agent


@pytest.mark.shows("canary")
def test_the_provider_gets_the_key_of_the_vault_and_no_other(agent, edited, provider):
    assert edited.script.keys() == {provider.key}


@pytest.mark.shows("canary")
def test_no_process_of_it_has_a_key(agent, interrupted, canaries):
    texts = [text for process in interrupted.processes for text in (process.command, process.environment)]
    assert texts
    assert [text for text in texts for canary in canaries if canary in text] == []


@pytest.mark.shows("canary")
def test_no_file_of_its_task_has_a_key(agent, interrupted, canaries):
    assert interrupted.files
    assert [file for file in interrupted.files for canary in canaries if canary.encode() in file] == []


@pytest.mark.shows("canary")
def test_a_key_is_in_no_record_log_history_object_event_or_answer(agent, edited, interrupted, canaries, caller):
    runs = [edited.run_id, interrupted.played.run_id]
    traces = find_traces(caller, runs)
    assert [place for place, text in traces.items() if runs[0] not in text] == []
    assert [place for place, text in traces.items() for canary in canaries if canary in text] == []


@pytest.mark.shows("canary")
def test_its_own_user_can_read_no_key(with_shell, edited, caller, repository, tmp_path):
    checkout = apply_to_fresh_checkout(repository, caller.patch(edited.run_id), tmp_path / "checkout")
    assert (checkout / "seen.txt").read_text() == SEEN
