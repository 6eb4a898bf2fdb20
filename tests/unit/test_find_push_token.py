"""Who gives the token that pushes: the operator only where the plan names the repositories, else the tenant."""

from dataclasses import dataclass, field

import pytest
from builders import a_plan, a_secret, a_tenant
from fake_secrets import InMemoryTenantSecrets, InMemoryVault
from fake_workspaces import NoGitHubApp

from outpost.domain.errors import Unavailable
from outpost.domain.secret import GIT
from outpost.use_cases.find_push_token import find_push_token

GRANTED = a_plan(allowed_repositories=("acme/*",))
OWN_ONLY = a_plan(allowed_repositories=("acme/*",), own_secrets_required=True)
UNNAMED = a_plan()
DENIED_ONLY = a_plan(denied_repositories=("other/*",))


@dataclass
class Givers:
    """Whoever could give a token."""

    secrets: InMemoryTenantSecrets = field(default_factory=InMemoryTenantSecrets)
    vault: InMemoryVault = field(default_factory=InMemoryVault)
    github_app: NoGitHubApp = field(default_factory=NoGitHubApp)

    def have(self, *names):
        """Those of the three that have one: `app`, `own`, `operator`."""
        self.github_app.tokens |= {"acme/app": "the app's"} if "app" in names else {}
        self.vault.git_token = "the operator's" if "operator" in names else None
        self.vault.values |= {("acme", GIT): "the tenant's"} if "own" in names else {}
        self.secrets.records |= {("acme", GIT): a_secret(name=GIT)} if "own" in names else {}
        return self

    def find(self, plan):
        return find_push_token(
            a_tenant(plan=plan), "acme/app", secrets=self.secrets, vault=self.vault, github_app=self.github_app
        )


@pytest.fixture
def givers():
    return Givers()


@pytest.mark.parametrize(
    ("having", "granted", "otherwise"),
    [
        ("", None, None),
        ("app", "the app's", None),
        ("own", "the tenant's", "the tenant's"),
        ("operator", "the operator's", None),
        ("app own", "the app's", "the tenant's"),
        ("app operator", "the app's", None),
        ("own operator", "the tenant's", "the tenant's"),
        ("app own operator", "the app's", "the tenant's"),
    ],
)
def test_the_table_of_who_gives_the_token(givers, having, granted, otherwise):
    givers.have(*having.split())
    assert givers.find(GRANTED) == granted
    assert {givers.find(plan) for plan in (UNNAMED, DENIED_ONLY, OWN_ONLY)} == {otherwise}


@pytest.mark.parametrize("plan", [UNNAMED, DENIED_ONLY, OWN_ONLY], ids=["unnamed", "only denied", "own required"])
def test_without_a_grant_nobody_asks_the_operator(givers, plan):
    givers.have("app", "own", "operator").find(plan)
    assert (givers.github_app.asked, givers.vault.reads) == ([], [f"acme/{GIT}"])


def test_the_app_is_asked_for_the_one_repository(givers):
    givers.have("app").find(GRANTED)
    assert (givers.github_app.asked, givers.vault.reads) == (["acme/app"], [])


def test_a_tenant_without_a_secret_costs_no_look_at_its_value(givers):
    givers.find(UNNAMED)
    assert givers.vault.reads == []


def test_a_record_whose_value_is_gone_falls_to_the_operator_where_it_may(givers):
    givers.have("own", "operator")
    givers.vault.values.clear()
    assert (givers.find(GRANTED), givers.find(UNNAMED)) == ("the operator's", None)


def test_a_vault_that_is_down_gives_no_other_token(givers):
    givers.have("own", "operator")
    givers.vault.is_down = True
    with pytest.raises(Unavailable):
        givers.find(GRANTED)
