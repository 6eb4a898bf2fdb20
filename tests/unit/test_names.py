"""What keys, tenants, repositories, branches and models may be called."""

import pytest

from outpost.domain.agents import AGENTS, Tier
from outpost.domain.api_key import hash_secret, looks_like_secret, make_secret
from outpost.domain.git import clone_url, is_branch, is_repo
from outpost.domain.tenant import is_tenant_id


def test_a_secret_has_the_documented_shape_and_is_never_the_same():
    first, second = make_secret(), make_secret()
    assert looks_like_secret(first)
    assert len(first) == 68
    assert first != second


def test_only_the_sha256_of_a_secret_is_kept():
    assert hash_secret("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    "text", ["", "otp_", "otp_" + "g" * 64, "OTP_" + "a" * 64, "otp_" + "a" * 64 + "\n", " otp_" + "a" * 64]
)
def test_what_is_no_secret_costs_no_read(text):
    assert not looks_like_secret(text)


@pytest.mark.parametrize("name", ["main", "feature/x", "release-1.0", "häuser", "a.b", "dependabot/npm/x-1.2"])
def test_branches_that_git_takes(name):
    assert is_branch(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-x",
        "a..b",
        "a b",
        "a~b",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[",
        "a\\b",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.lock",
        "a.lock/b",
        "a.",
        "a@{b",
        "@",
        "a\nb",
        "x" * 256,
    ],
)
def test_branches_that_git_refuses(name):
    assert not is_branch(name)


@pytest.mark.parametrize(
    "repo", ["acme/site", "a/b.c-d_e", "https://git.example.com/acme/site.git", "https://git.example.com:8443/x"]
)
def test_repos_that_are_taken(repo):
    assert is_repo(repo)


@pytest.mark.parametrize(
    "repo",
    [
        "",
        "acme",
        "acme/site/x",
        "/acme/site",
        "../x",
        "acme/..",
        "http://git.example.com/x",
        "https://user:secret@git.example.com/x",
        "https://git.example.com/x?token=1",
        "https://git.example.com/../x",
        "-u/x",
        "git@git.example.com:x/y",
        "https://git.example.com/a b",
        "file:///etc/passwd",
        "ext::sh -c id",
        "acme/site\n",
    ],
)
def test_repos_that_are_refused(repo):
    assert not is_repo(repo)


def test_owner_and_name_are_cloned_from_the_deployments_host():
    assert clone_url("acme/site", "https://git.example.com") == "https://git.example.com/acme/site.git"
    assert clone_url("acme/site.git", "https://git.example.com") == "https://git.example.com/acme/site.git"
    assert clone_url("https://other.example.com/x.git", "https://git.example.com") == "https://other.example.com/x.git"


@pytest.mark.parametrize("text", ["acme", "a1", "acme-2", "x" * 63])
def test_tenant_ids_that_are_taken(text):
    assert is_tenant_id(text)


@pytest.mark.parametrize("text", ["", "a", "Acme", "-acme", "a#b", "a/b", "acme\n", "x" * 64])
def test_tenant_ids_that_are_refused(text):
    assert not is_tenant_id(text)


def test_the_default_models_are_the_documented_ones():
    assert {name: agent.default_model_id for name, agent in AGENTS.items()} == {
        "claude": "claude-opus-4-5-20251101",
        "codex": "gpt-5.2-codex",
        "gemini": "gemini-3-pro-preview",
        "aider": "deepseek/deepseek-coder",
        "grok": "grok-4.1",
        "shell": "none",
    }


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
@pytest.mark.parametrize("tier", Tier)
def test_every_agent_answers_to_every_tier(agent, tier):
    assert agent.resolve_model(tier) in {model.model_id for model in agent.models}


def test_a_model_of_another_agent_is_not_taken():
    assert AGENTS["claude"].resolve_model("gpt-5.2-codex") is None
