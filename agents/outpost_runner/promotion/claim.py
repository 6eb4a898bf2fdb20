"""What a claim hands to the promotion: the patch, where it goes, in whose name, and the credential to write with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from outpost_runner.claim import COMMIT, GitCredential, StoredFile, read_stored_file
from outpost_runner.claiming import claim
from outpost_runner.json_fields import JsonObject, MalformedJson
from outpost_runner.settings import Settings
from outpost_runner.stop import Stop


@dataclass(frozen=True)
class Person:
    name: str
    email: str


@dataclass(frozen=True)
class Host:
    """Who hosts the repository; `repository` is its name there, `owner/name`."""

    kind: str
    api_url: str
    repository: str


@dataclass(frozen=True)
class PromotionClaim:
    """`base_branch` is None for the repository's default branch."""

    session_token: str = field(repr=False)
    deadline_seconds: int
    run_id: str
    repository_url: str
    base_commit: str
    base_branch: str | None
    patch: StoredFile
    branch: str
    title: str
    body: str
    draft: bool
    author: Person
    co_author: Person | None
    trailers: Mapping[str, str]
    git: GitCredential | None
    host: Host

    def secrets(self) -> list[str]:
        """Every text that must never be shown."""
        found = [self.session_token, self.patch.url]
        return found if self.git is None else [*found, self.git.password]


def claim_promotion(settings: Settings, stop: Stop) -> PromotionClaim:
    """Claim the promotion; raises BrokerError."""
    return claim(settings, stop, "/promotion/claim", read_promotion_claim)


def read_promotion_claim(data: JsonObject) -> PromotionClaim:
    """The claim in the broker's answer; raises MalformedJson."""
    base_commit = data.text("baseSha")
    if COMMIT.fullmatch(base_commit) is None:
        raise MalformedJson("claim.baseSha is no commit.")
    co_author = data.optional_object("coAuthor")
    git = data.optional_object("git")
    host = data.object("host")
    return PromotionClaim(
        session_token=data.text("sessionToken"),
        deadline_seconds=data.integer("deadlineSeconds"),
        run_id=data.object("run").text("runId"),
        repository_url=data.object("repo").text("url"),
        base_commit=base_commit,
        base_branch=data.optional_text("baseBranch"),
        patch=read_stored_file(data.object("patch")),
        branch=data.text("branch"),
        title=data.text("title"),
        body=data.text("body"),
        draft=data.truth("draft", default=False),
        author=_read_person(data.object("author")),
        co_author=None if co_author is None else _read_person(co_author),
        trailers=data.object("trailers").texts(),
        git=None if git is None else GitCredential(git.text("username"), git.text("password")),
        host=Host(host.text("kind"), host.text("apiUrl").rstrip("/"), host.text("repository")),
    )


def _read_person(person: JsonObject) -> Person:
    return Person(person.text("name"), person.text("email"))
