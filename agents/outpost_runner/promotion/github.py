"""Pull requests at GitHub: finds the one that is there, or opens it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlencode

from outpost_runner.http_request import Answer
from outpost_runner.json_fields import Json, JsonObject, MalformedJson
from outpost_runner.promotion.errors import PullRequestFailed
from outpost_runner.promotion.github_requests import GitHubRequests, read_complaint, refuses_field

MOVED_STATUSES = range(300, 400)
MAX_COMPLAINT_CHARACTERS = 500
# A branch can be pushed and not yet be seen where pull requests are opened.
UNSEEN_HEAD_WAITS_SECONDS = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class PullRequest:
    number: int
    url: str
    is_draft: bool


@dataclass(frozen=True)
class Proposal:
    """A branch that is pushed, and what its pull request shall say."""

    branch: str
    commit: str
    base_branch: str
    title: str
    body: str
    draft: bool


@dataclass(frozen=True)
class GitHub:
    """`repository` is `owner/name`. Everything raises PullRequestFailed."""

    requests: GitHubRequests
    repository: str

    def propose(self, proposal: Proposal) -> PullRequest:
        """The pull request of the branch, opened unless it exists."""
        return self._find(proposal) or self._open(proposal)

    def _find(self, proposal: Proposal) -> PullRequest | None:
        """The open one, or one that is closed and was of this very commit: an earlier branch may have had the name."""
        owner, _, _ = self.repository.partition("/")
        query = urlencode({"head": f"{owner}:{proposal.branch}", "state": "all"})
        answer = self.requests.send("GET", f"/repos/{self.repository}/pulls?{query}")
        if answer.status != HTTPStatus.OK:
            raise _refuse(answer)
        try:
            found = JsonObject.parse(b'{"pulls":' + answer.body + b"}", "answer").objects("pulls")
            own = [pull for pull in found if pull.text("state") == "open"]
            own += [pull for pull in found if pull.object("head").text("sha") == proposal.commit]
            return _read(own[0]) if own else None
        except MalformedJson as error:
            raise PullRequestFailed(f"GitHub's list of pull requests cannot be read: {error}") from error

    def _open(self, proposal: Proposal) -> PullRequest:
        answer = self._create(proposal)
        if answer.status == HTTPStatus.CREATED:
            try:
                return _read(JsonObject.parse(answer.body, "answer"))
            except MalformedJson as error:
                raise PullRequestFailed(f"GitHub's pull request cannot be read: {error}") from error
        return self._open_after(answer, proposal)

    def _create(self, proposal: Proposal) -> Answer:
        """GitHub's answer, after some repetitions where it does not see the branch yet."""
        answer = self._create_once(proposal)
        for seconds in UNSEEN_HEAD_WAITS_SECONDS:
            if not refuses_field(answer, "head") or seconds >= self.requests.patience.remaining():
                break
            self.requests.patience.pause(seconds)
            answer = self._create_once(proposal)
        return answer

    def _create_once(self, proposal: Proposal) -> Answer:
        body: Mapping[str, Json] = {
            "title": proposal.title,
            "head": proposal.branch,
            "base": proposal.base_branch,
            "body": proposal.body,
            "draft": proposal.draft,
        }
        return self.requests.send("POST", f"/repos/{self.repository}/pulls", body)

    def _open_after(self, answer: Answer, proposal: Proposal) -> PullRequest:
        """What is left to do after a refusal: not every plan has drafts, and a lost answer may have opened it."""
        complaint = read_complaint(answer).lower()
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            if "already exists" in complaint and (found := self._find(proposal)) is not None:
                return found
            if proposal.draft and "draft" in complaint:
                return self._open(replace(proposal, draft=False))
        raise _refuse(answer)


def _read(pull: JsonObject) -> PullRequest:
    return PullRequest(pull.integer("number"), pull.text("html_url"), pull.truth("draft", default=False))


def _refuse(answer: Answer) -> PullRequestFailed:
    if answer.status in MOVED_STATUSES:
        return PullRequestFailed(f"GitHub answered {answer.status}: the repository has another address now.")
    return PullRequestFailed(f"GitHub answered {answer.status}: {read_complaint(answer)[:MAX_COMPLAINT_CHARACTERS]}")
