"""What a runner is told of its run: the repository, the keys, the models and the budget."""

import pytest
from builders import a_run

from outpost.api.runner import claimed_view
from outpost.domain.agents import AGENTS
from outpost.domain.credentials import Credentials, ProviderKey
from outpost.domain.usage import ModelBudget
from outpost.use_cases.claim_run import Claimed

NOTHING = Credentials()
FULL = Credentials(ProviderKey("sk-canary", "https://models.example.com"), "git-canary", {"NPM_TOKEN": "npm-canary"})


def repository_of(**changes):
    return view_of(**changes)["run"]["repo"]


def view_of(credentials=NOTHING, **changes):
    return claimed_view(Claimed(a_run(**changes), "echo hello", credentials, "a token"), "https://git.example.com")


@pytest.mark.parametrize("may_redirect", [True, False])
def test_a_runner_is_told_whether_another_address_may_stand_for_the_repository(may_redirect):
    assert repository_of(repo="acme/site", branch="main", repo_may_redirect=may_redirect) == {
        "url": "https://git.example.com/acme/site.git",
        "branch": "main",
        "mayRedirect": may_redirect,
        "commit": None,
    }


def test_a_run_without_a_repository_has_none_to_clone():
    assert repository_of() is None


def test_a_runner_is_given_what_was_found_for_its_run():
    assert view_of(FULL, agent="claude")["credentials"] == {
        "provider": {"name": "anthropic", "apiKey": "sk-canary", "baseUrl": "https://models.example.com"},
        "git": {"username": "x-access-token", "password": "git-canary"},
        "environment": {"NPM_TOKEN": "npm-canary"},
        "missing": [],
    }


def test_a_run_without_a_provider_has_nothing_but_what_is_missing():
    given = view_of(Credentials(missing=("NPM_TOKEN",)))["credentials"]
    assert given == {"provider": None, "git": None, "environment": {}, "missing": ["NPM_TOKEN"]}


@pytest.mark.parametrize("model", AGENTS["gemini"].models, ids=lambda model: model.model_id)
def test_a_model_may_be_asked_for_by_the_names_of_the_wire_alone(model):
    models = view_of(agent="gemini", model_id=model.model_id)["models"]
    assert [each["name"] for each in models] == list(model.provider_names)
    assert {each["outputMicrousd"] for each in models} == {model.price.output_microusd}


def test_a_run_without_a_provider_has_no_models():
    assert view_of()["models"] == []


def test_a_runner_keeps_the_budget_of_its_run():
    budget = ModelBudget(max_cost_microusd=2_500_000, max_tokens=1_000)
    assert view_of(budget=budget)["budget"] == {"maxCostMicrousd": 2_500_000, "maxTokens": 1_000}
