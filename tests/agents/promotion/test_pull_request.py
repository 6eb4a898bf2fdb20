"""The pull request is opened once, and when it cannot be, the branch stays and a repetition goes on from there."""

import pytest

from outpost_runner.patience import Patience
from outpost_runner.promotion.compare_url import make_compare_url
from outpost_runner.promotion.errors import PullRequestFailed
from outpost_runner.promotion.github import GitHub, Proposal
from outpost_runner.promotion.github_requests import GitHubRequests

from .github_server import REPOSITORY, invalid, invalid_field, refusal
from .promotion_platform import BRANCH

SAID = {"title": "Earlier", "body": "", "draft": False}


def test_a_pull_request_that_is_open_for_the_branch_is_given(platform, run, github):
    github.open_pull(BRANCH, "main", SAID)
    assert run().process.returncode == 0
    assert platform.completion["pullRequest"]["number"] == 1
    assert github.requests == ["GET"]


def test_one_that_was_closed_with_this_very_commit_is_given(platform, run, github):
    run()
    github.pulls[0]["state"] = "closed"
    run()
    assert platform.completion["pullRequest"]["number"] == 1


def test_a_closed_one_of_an_earlier_branch_of_the_name_is_not(platform, run, github):
    github.open_pull(BRANCH, "main", SAID, state="closed")
    run()
    assert platform.completion["pullRequest"]["number"] == 2


def test_one_of_another_branch_is_not(platform, run, github):
    github.open_pull(f"{BRANCH}-2", "main", SAID)
    run()
    assert platform.completion["pullRequest"]["number"] == 2


def test_where_there_are_no_drafts_it_is_opened_without(platform, run, github):
    github.supports_drafts = False
    assert run(draft=True).process.returncode == 0
    assert [body["draft"] for body in github.bodies] == [True, False]
    assert platform.completion["pullRequest"]["draft"] is False


@pytest.mark.parametrize("is_draft", [True, False])
def test_whether_it_is_a_draft_is_told_of_one_that_is_opened(platform, run, is_draft):
    run(draft=is_draft)
    assert platform.completion["pullRequest"]["draft"] is is_draft


@pytest.mark.parametrize("is_draft", [True, False])
def test_whether_it_is_a_draft_is_told_of_one_that_was_there(platform, run, github, is_draft):
    github.open_pull(BRANCH, "main", SAID | {"draft": is_draft})
    run(draft=not is_draft)
    assert platform.completion["pullRequest"]["draft"] is is_draft


def test_one_whose_answer_was_lost_is_found(platform, run, github):
    github.loses_an_answer = True
    assert run().process.returncode == 0
    assert platform.completion["pullRequest"]["number"] == 1
    assert len(github.pulls) == 1


def test_while_the_api_is_down_the_branch_stays_and_a_repetition_goes_on(platform, run, upstream, github):
    github.always = refusal(503, "Service Unavailable")
    assert run(deadlineSeconds=4).process.returncode == 10
    assert platform.completion["error"]["code"] == "PULL_REQUEST_FAILED"
    assert "503" in platform.completion["error"]["message"]
    pushed = upstream.find(BRANCH)
    assert platform.completion["commit"] == pushed
    assert platform.completion["compareUrl"].endswith(f"/compare/main...{BRANCH}")
    github.always = None
    assert run(deadlineSeconds=60).process.returncode == 0
    assert upstream.find(BRANCH) == pushed
    assert platform.completion["pullRequest"]["number"] == 1


@pytest.mark.parametrize(
    "answer",
    [
        refusal(500, "Oops"),
        refusal(403, "You have exceeded a secondary rate limit.", retry_after="1"),
        refusal(429, "Slower.", retry_after="1"),
    ],
    ids=["500", "403", "429"],
)
def test_what_passes_is_tried_again(platform, run, github, answer):
    github.script["GET"].append(answer)
    github.script["POST"].append(answer)
    assert run().process.returncode == 0
    assert github.requests == ["GET", "GET", "POST", "POST"]


def test_a_limit_that_lasts_longer_than_the_promotion_is_not_waited_for(platform, run, github, error):
    github.script["POST"].append(refusal(403, "You have exceeded a secondary rate limit.", retry_after="3600"))
    runner = run()
    assert error()["code"] == "PULL_REQUEST_FAILED"
    assert "secondary rate limit" in error()["message"]
    assert runner.seconds < 30


def test_a_branch_that_is_not_seen_at_once_is_asked_for_again(platform, run, github):
    github.unseen = 2
    assert run().process.returncode == 0
    assert github.requests == ["GET", "POST", "POST", "POST"]
    assert platform.completion["pullRequest"]["number"] == 1


def test_a_branch_that_stays_unseen_is_told(run, github, error):
    github.unseen = 100
    runner = run()
    assert error() == {
        "code": "PULL_REQUEST_FAILED",
        "message": "GitHub answered 422: Validation Failed head is invalid",
    }
    assert (len(github.requests), runner.seconds < 15) == (5, True)


def test_without_time_left_an_unseen_branch_is_told_at_once(github, token):
    github.unseen = 100
    requests = GitHubRequests(github.url, token, Patience(lambda: 0.0))
    with pytest.raises(PullRequestFailed, match="head is invalid"):
        GitHub(requests, REPOSITORY).propose(Proposal(BRANCH, "c" * 40, "main", "A title", "", draft=False))
    assert github.requests == ["GET", "POST"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (invalid("PullRequest", "No commits between main and it"), "422: Validation Failed No commits between main"),
        (invalid_field("base"), "422: Validation Failed base is invalid"),
        (refusal(401, "Bad credentials"), "401: Bad credentials"),
        (refusal(403, "Resource not accessible by personal access token"), "403: Resource not accessible"),
        (refusal(404, "Not Found"), "404: Not Found"),
        (refusal(301, "Moved Permanently", Location="http://127.0.0.1:9/"), "301: the repository has another address"),
    ],
    ids=["422", "another field", "401", "403", "404", "301"],
)
def test_what_github_says_of_a_refusal_is_told(platform, run, github, error, answer, said):
    github.script["POST"].append(answer)
    assert run().process.returncode == 10
    assert error()["code"] == "PULL_REQUEST_FAILED"
    assert said in error()["message"]
    assert github.requests == ["GET", "POST"]


def test_a_refusal_is_told_without_secrets_and_shortly(run, github, token, error):
    github.script["POST"].append(refusal(422, f"The token {token} {'is not good ' * 500}"))
    run()
    assert "The token [redacted] is not good" in error()["message"]
    assert len(error()["message"]) <= 1000


def test_at_another_host_the_address_of_the_comparison_is_given(platform, run, upstream, github, git_url):
    host = {"kind": "other", "apiUrl": "https://api.github.com", "repository": ""}
    assert run(host=host, branch="fix/#1").process.returncode == 0
    assert platform.completion["pullRequest"] is None
    assert platform.completion["compareUrl"] == f"{git_url.removesuffix('.git')}/compare/main...fix/%231"
    assert github.requests == []


@pytest.mark.parametrize(
    "url", ["https://git.example.com/a/b.git", "https://git.example.com/a/b", "https://git.example.com/a/b/"]
)
def test_the_address_of_the_comparison_is_below_the_repositorys(url):
    assert make_compare_url(url, "main", "x") == "https://git.example.com/a/b/compare/main...x"


def test_an_address_that_is_too_long_is_none():
    longest = "x" * (1000 - len("https://git.example.com/a/b/compare/main..."))
    assert len(make_compare_url("https://git.example.com/a/b", "main", longest)) == 1000
    assert make_compare_url("https://git.example.com/a/b", "main", longest + "x") is None


def test_long_names_cost_the_address_and_nothing_else(platform, run, upstream):
    base, branch = "ä" * 100, "ö" * 100
    upstream.commit({}, branch=base)
    assert run(baseBranch=base, branch=branch).process.returncode == 0
    assert (platform.completion["outcome"], platform.completion["compareUrl"]) == ("promoted", None)
