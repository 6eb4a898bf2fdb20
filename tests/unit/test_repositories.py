"""Rules for repositories hold however a repository is written."""

import pytest

from outpost.domain.git import is_repo
from outpost.domain.repositories import is_repository_pattern, may_use

HOME = "https://git.example.com"


def is_denied(repo, *denied, home=HOME):
    return not may_use(repo, allowed=None, denied=denied, git_base_url=home)


def is_allowed(repo, *allowed):
    return may_use(repo, allowed=allowed, git_base_url=HOME)


@pytest.mark.parametrize(
    "text", ["acme/*", "acme/site", "*", "git.example.com/acme/*", "https://git.example.com:8443/~a/b.c-d_e", "a?c/x"]
)
def test_patterns_that_are_taken(text):
    assert is_repository_pattern(text)


@pytest.mark.parametrize("text", ["", "acme/[a-z]", "acme/site\n", "a b", "http://git.example.com/x@y", "x" * 201])
def test_patterns_that_are_refused(text):
    assert not is_repository_pattern(text)


def test_without_rules_every_repository_may_be_used():
    assert may_use("https://other.example.com/any/%2Fthing", allowed=None, git_base_url=HOME)


def test_no_repository_is_admitted_by_any_rule():
    assert may_use(None, allowed=(), denied=("*",), git_base_url=HOME)


def test_what_is_denied_is_never_allowed():
    assert not may_use("acme/secret", allowed=("acme/*",), denied=("acme/secret",), git_base_url=HOME)


@pytest.mark.parametrize(
    "repo",
    [
        "acme/site",
        "Acme/Site",
        "acme/site.git",
        "acme/site.GIT",
        "acme/site.git.git",
        "acme/site.git.GIT.git",
        "https://git.example.com/acme/site.git.git",
        "https://git.example.com/acme/site",
        "https://git.example.com/acme/site.git",
        "https://git.example.com/ACME/Site.Git",
        "https://GIT.Example.COM/acme/site",
        "https://git.example.com:443/acme/site",
        "https://git.example.com:0443/acme/site",
        "https://git.example.com:00443/acme/site.git",
        "https://git.example.com./acme/site",
        "https://git.example.com.:443/acme/site",
        "https://git.example.com//acme/site",
        "https://git.example.com/acme//site",
        "https://git.example.com/acme%2Fsite",
        "https://git.example.com/%61cme/site",
        "https://git.example.com/./acme/site",
        "https://git.example.com/acme/./site",
        "https://git.example.com/acme/site/",
        "https://git.example.com/acme/site.git/",
        "https://git.example.com/acme/site/.",
        "https://git.example.com/acme/site.",
    ],
)
def test_no_spelling_of_a_denied_repository_gets_around_the_rule(repo):
    assert is_denied(repo, "acme/site")
    assert is_denied(repo, "https://git.example.com/acme/*")


@pytest.mark.parametrize(
    "repo", ["HTTPS://git.example.com/acme/site", "http://git.example.com/acme/site", "https://git.example.com/a/../b"]
)
def test_spellings_that_no_rule_has_to_know_are_no_repositories(repo):
    assert not is_repo(repo)


@pytest.mark.parametrize("home", [HOME, f"{HOME}:443", "https://Git.Example.com"])
def test_the_deployments_own_host_may_be_written_in_many_ways_too(home):
    assert is_denied("https://git.example.com/acme/site", "acme/site", home=home)
    assert is_denied("acme/site", "https://git.example.com/acme/site", home=home)


def test_a_host_with_a_path_is_part_of_every_name_on_it():
    home = "https://git.example.com/scm"
    assert is_denied("https://git.example.com/scm/acme/site", "acme/site", home=home)
    assert not is_denied("https://git.example.com/acme/site", "acme/site", home=home)


@pytest.mark.parametrize("repo", ["https://git.example.com:8443/acme/site", "https://git.example.com:08443/acme/site"])
def test_another_port_is_another_host_and_has_one_name_however_it_is_written(repo):
    assert is_denied(repo, "git.example.com:8443/acme/*")
    assert not is_denied(repo, "acme/site")


@pytest.mark.parametrize(
    "repo",
    [
        "acme/site2",
        "acme/site.io",
        "other/site",
        "https://git.example.com/other/acme/site",
        "https://other.example.com/acme/site",
        "https://git.example.com.other.example.com/acme/site",
    ],
)
def test_a_rule_for_one_repository_is_none_for_another(repo):
    assert not is_denied(repo, "acme/site")
    assert not is_allowed(repo, "acme/site")


def test_a_pattern_without_a_host_means_the_deployments_own():
    assert is_allowed("https://git.example.com/acme/site", "acme/*")
    assert not is_allowed("https://other.example.com/acme/site", "acme/*")


@pytest.mark.parametrize("pattern", ["other.example.com/acme/*", "https://Other.example.com:443/acme/site.git"])
def test_a_pattern_with_a_host_means_that_host(pattern):
    assert is_allowed("https://other.example.com/acme/site", pattern)
    assert not is_allowed("acme/site", pattern)


@pytest.mark.parametrize("pattern", ["a.b/site", "a.b/*", "A.B/site.git"])
def test_an_owner_with_a_dot_in_its_name_is_denied_like_any_other(pattern):
    assert is_denied("a.b/site", pattern)
    assert is_denied("https://git.example.com/a.b/site", pattern)
    assert is_denied("https://a.b/site", pattern)


def test_a_host_that_is_denied_with_its_port_may_be_an_owner_too():
    assert is_denied("https://other.example.com:8443/acme/site", "other.example.com:8443/*")
    assert not is_denied("acme/site", "other.example.com:8443/*")


def test_what_begins_as_a_host_does_is_allowed_as_a_host_alone():
    assert is_allowed("https://a.b/site", "a.b/*")
    assert not is_allowed("a.b/site", "a.b/*")
    assert not is_allowed("https://git.example.com/a.b/site", "a.b/*")


@pytest.mark.parametrize("pattern", ["https://git.example.com/a.b/*", "git.example.com/a.b/*"])
def test_an_owner_with_a_dot_in_its_name_is_allowed_by_its_host(pattern):
    assert is_allowed("a.b/site", pattern)


def test_a_url_is_denied_as_a_host_alone():
    assert is_denied("https://a.b/site", "https://a.b/*")
    assert not is_denied("a.b/site", "https://a.b/*")


@pytest.mark.parametrize("pattern", ["*.git", "acme/*.git", "acme/.git"])
def test_a_pattern_of_nothing_but_an_ending_allows_nothing_more_than_it_says(pattern):
    assert not is_allowed("acme/site", pattern)
    assert not is_allowed("https://other.example.com/any/thing", pattern)


@pytest.mark.parametrize("pattern", ["acme/*.git", "git.example.com/acme/*.git", "https://git.example.com/acme/*.git"])
def test_a_star_before_the_ending_denies_what_it_denies_without_the_ending(pattern):
    assert is_denied("acme/site.git", pattern)
    assert is_denied("acme/site", pattern)


def test_a_name_that_is_nothing_but_an_ending_hides_its_path():
    assert is_denied("acme/.git", "unrelated/*")
    assert is_denied("https://git.example.com/acme/.git.git", "unrelated/*")


def test_a_star_alone_means_every_host():
    assert is_allowed("https://other.example.com/any/thing", "*")
    assert is_denied("acme/site", "*")


def test_a_question_mark_stands_for_one_character():
    assert is_allowed("acme/site1", "acme/site?")
    assert not is_allowed("acme/site12", "acme/site?")


def test_no_pattern_allows_nothing():
    assert not is_allowed("acme/site")


def test_a_url_that_hides_its_path_is_refused_where_only_others_are_denied():
    assert is_denied("https://other.example.com/acme%2Fsite", "unrelated/*")
