"""What a run gets: the tenant's own first, the operator's where it may, and no call that is not needed."""

from dataclasses import dataclass, field

import pytest
from builders import a_secret
from fake_secrets import InMemoryTenantSecrets, InMemoryVault

from outpost.domain.credentials import Credentials, ProviderKey
from outpost.use_cases.find_credentials import find_credentials

PLATFORM_KEY = ProviderKey("the platform's key", "https://models.example.com")


@dataclass
class Shelf:
    """A tenant's secrets beside the platform's."""

    secrets: InMemoryTenantSecrets = field(default_factory=InMemoryTenantSecrets)
    vault: InMemoryVault = field(
        default_factory=lambda: InMemoryVault(providers={"openai": PLATFORM_KEY}, git_token="the platform's token")
    )

    def own(self, **values):
        """Secrets of the tenant's own."""
        self.vault.values |= {("acme", name): value for name, value in values.items()}
        self.secrets.records |= {("acme", name): a_secret(name=name) for name in values}

    def find(self, provider=None, *, git=False, names=(), own_only=False):
        return find_credentials("acme", provider, git, names, own_only, secrets=self.secrets, vault=self.vault)


@pytest.fixture
def shelf():
    return Shelf()


def test_a_run_that_needs_nothing_costs_no_call(shelf):
    shelf.own(openai="my own key", TOKEN="my token")
    assert shelf.find() == Credentials()
    assert (shelf.secrets.queries, shelf.vault.reads) == (0, [])


def test_without_a_key_of_its_own_a_tenant_uses_the_platforms(shelf):
    assert shelf.find("openai").provider == PLATFORM_KEY
    assert shelf.vault.reads == ["agents/openai"]


def test_a_key_of_its_own_comes_first_and_goes_to_the_providers_own_address(shelf):
    shelf.own(openai="my own key")
    found = shelf.find("openai")
    assert (found.provider, found.missing) == (ProviderKey("my own key", None, is_own=True), ())
    assert shelf.vault.reads == ["acme/openai"]


def test_another_providers_key_is_of_no_use(shelf):
    shelf.own(anthropic="my own key")
    assert shelf.find("openai").provider == PLATFORM_KEY


def test_who_needs_a_key_of_its_own_is_never_given_the_platforms(shelf):
    found = shelf.find("openai", git=True, own_only=True)
    assert (found.provider, found.git_token, found.missing) == (None, None, ("openai",))
    assert shelf.vault.reads == []


def test_who_needs_a_key_of_its_own_uses_it(shelf):
    shelf.own(openai="my own key", github="my own token")
    found = shelf.find("openai", git=True, own_only=True)
    assert (found.provider.api_key, found.git_token, found.missing) == ("my own key", "my own token", ())


def test_a_key_that_nobody_has_is_missing(shelf):
    found = shelf.find("xai")
    assert (found.provider, found.missing) == (None, ("xai",))


def test_a_git_token_of_its_own_comes_first(shelf):
    shelf.own(github="my own token")
    assert shelf.find(git=True).git_token == "my own token"
    assert shelf.vault.reads == ["acme/github"]


def test_without_a_git_token_of_its_own_a_tenant_uses_the_platforms(shelf):
    assert shelf.find(git=True).git_token == "the platform's token"


def test_a_git_token_that_nobody_has_is_not_missing(shelf):
    shelf.vault.git_token = None
    assert shelf.find(git=True) == Credentials()


def test_a_token_that_is_not_wanted_is_not_given(shelf):
    shelf.own(github="my own token", TOKEN="my token")
    assert shelf.find("openai") == Credentials(provider=PLATFORM_KEY)


def test_the_secrets_that_were_asked_for_are_the_environment(shelf):
    shelf.own(TOKEN="my token", OTHER="other value", THIRD="third value")
    assert shelf.find(names=("TOKEN", "THIRD")).environment == {"TOKEN": "my token", "THIRD": "third value"}


def test_a_secret_that_is_not_there_is_missing_and_costs_no_read(shelf):
    shelf.own(TOKEN="my token")
    found = shelf.find(names=("NOTHING", "TOKEN"))
    assert (found.environment, found.missing) == ({"TOKEN": "my token"}, ("NOTHING",))
    assert shelf.vault.reads == ["acme/TOKEN"]


@pytest.mark.parametrize("name", ["openai", "github", "PATH"])
def test_what_is_no_variable_is_never_placed_in_the_environment(shelf, name):
    shelf.own(**{name: "a value"})
    found = shelf.find(names=(name,))
    assert (found.environment, found.missing) == ({}, (name,))


def test_everything_missing_is_told(shelf):
    assert shelf.find("xai", names=("B_NAME", "A_NAME")).missing == ("xai", "B_NAME", "A_NAME")


def test_a_secret_that_is_being_deleted_counts_as_none(shelf):
    shelf.own(openai="my own key", github="my own token", TOKEN="my token")
    shelf.vault.values.clear()
    found = shelf.find("openai", git=True, names=("TOKEN",))
    assert (found.provider, found.git_token, found.missing) == (PLATFORM_KEY, "the platform's token", ("TOKEN",))


def test_a_value_without_a_record_is_not_used(shelf):
    shelf.vault.put("acme", "openai", "a key that was never recorded")
    assert shelf.find("openai").provider == PLATFORM_KEY


def test_all_that_a_run_needs_is_one_query_and_one_read_a_value(shelf):
    shelf.own(openai="my own key", TOKEN="my token")
    shelf.find("openai", git=True, names=("TOKEN",))
    assert shelf.secrets.queries == 1
    assert shelf.vault.reads == ["acme/openai", "acme/TOKEN", "github"]


def test_anothers_secrets_are_not_found(shelf):
    shelf.vault.put("other", "TOKEN", "another's token")
    shelf.secrets.records["other", "TOKEN"] = a_secret(tenant_id="other", name="TOKEN")
    assert shelf.find(names=("TOKEN",)).missing == ("TOKEN",)
