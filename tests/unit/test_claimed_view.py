"""What a runner is told of the repository that it is to clone."""

import pytest
from builders import a_run

from outpost.api.runner import claimed_view
from outpost.use_cases.claim_run import Claimed


def repository_of(**changes):
    return claimed_view(Claimed(a_run(**changes), "echo hello", "a token"), "https://git.example.com")["run"]["repo"]


@pytest.mark.parametrize("may_redirect", [True, False])
def test_a_runner_is_told_whether_another_address_may_stand_for_the_repository(may_redirect):
    assert repository_of(repo="acme/site", branch="main", repo_may_redirect=may_redirect) == {
        "url": "https://git.example.com/acme/site.git",
        "branch": "main",
        "mayRedirect": may_redirect,
    }


def test_a_run_without_a_repository_has_none_to_clone():
    assert repository_of() is None
