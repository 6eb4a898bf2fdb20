"""Prepares the working tree that an agent gets, and keeps the repository it began with out of the agent's reach."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from outpost_runner.claim import GitCredential, Repository
from outpost_runner.folders import TaskFolders
from outpost_runner.git import Git, GitFailed, object_format_of

BRANCH_MISSING = re.compile(r"Remote branch .* not found in upstream", re.DOTALL)
COMMIT_MISSING = re.compile(r"not our ref|unadvertised object|(?:find|such) remote ref", re.IGNORECASE)
DEFAULT_BRANCH = re.compile(r"^ref: refs/heads/(\S+)\tHEAD$", re.MULTILINE)
REASON = re.compile(r"^(?:fatal|error|remote): (.+)$", re.MULTILINE)
SLOW_BYTES_PER_SECOND = 1000
IDENTITY = {"user.name": "Outpost agent", "user.email": "agent@outpost.invalid"}
# One fixed moment, so that every empty directory begins with the same commit.
EPOCH = {"GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}
EMPTY_COMMIT = "01b2dcb2513a23ba3675b3e50ec6b8f3e0070fea"
CREDENTIAL_HELPER = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" '
    '"$OUTPOST_GIT_USERNAME" "$OUTPOST_GIT_PASSWORD"; }; f'
)


class CloneFailed(Exception):
    """The repository could not be cloned; the message is for the caller."""


class BranchNotFound(CloneFailed):
    """The repository has no such branch."""


@dataclass(frozen=True)
class Base:
    """What the agent's work is compared with: a commit, and a repository that only the runner reaches."""

    repository: Path
    commit: str


def prepare_workspace(
    git: Git,
    folders: TaskFolders,
    repository: Repository | None,
    credential: GitCredential | None,
    *,
    stall_seconds: int,
    scrub: Callable[[str], str],
) -> Base:
    """Clone, fetch the one commit, or begin an empty repository; raises CloneFailed or GitInterrupted.

    Git runs as the agent's user, before there is an agent: so the tree is the agent's own and nothing of it is root's.
    """
    if repository is None:
        git.run("init", "--quiet", "--template=", "--initial-branch=main", ".")
    else:
        offering = with_credential(git, repository, credential, stall_seconds)
        if repository.commit is None:
            _clone(offering, repository, scrub)
        else:
            _begin_at(offering, repository, repository.commit, scrub)
    introduce_agent(git)
    commit = _find_head(git) or _commit_nothing(git)
    shutil.copytree(folders.workspace / ".git", folders.base_repository, symlinks=True)
    return Base(folders.base_repository, commit)


def find_base(git: Git) -> Base:
    """The base that a restored repository was copied for; `git` is in that repository. Raises GitFailed."""
    return Base(git.folder, git.run(f"--git-dir={git.folder}", "rev-parse", "--verify", "HEAD^{commit}"))


def introduce_agent(git: Git) -> None:
    """Give the tree's repository the name that the agent commits by."""
    for name, value in IDENTITY.items():
        git.run("--git-dir=.git", "config", name, value)


def leave_out(base: Base, patterns: Sequence[str]) -> None:
    """Keep files of these patterns out of the patch: what an agent's command line leaves is not the agent's work."""
    if patterns:
        (base.repository / "info").mkdir(exist_ok=True)
        with (base.repository / "info" / "exclude").open("a") as file:
            file.write("\n".join(["", *patterns, ""]))


def _clone(git: Git, repository: Repository, scrub: Callable[[str], str]) -> None:
    branch = [] if repository.branch is None else [f"--branch={repository.branch}"]
    options = ["--quiet", "--depth=1", "--single-branch", "--no-tags", "--template=", *branch]
    try:
        git.run("clone", *options, "--", repository.url, ".")
    except GitFailed as failure:
        complaint = scrub(str(failure))
        if repository.branch is not None and BRANCH_MISSING.search(complaint):
            raise BranchNotFound(f"The repository has no branch {repository.branch!r}.") from None
        raise CloneFailed(f"The repository could not be cloned: {find_reason(complaint)}") from None


def _begin_at(git: Git, repository: Repository, commit: str, scrub: Callable[[str], str]) -> None:
    """As a clone of the commit alone, wherever the branch is now; on a detached head when no branch is known."""
    git.run("init", "--quiet", "--template=", "--initial-branch=main", object_format_of(commit), ".")
    git.run("remote", "add", "--", "origin", repository.url)
    if commit == EMPTY_COMMIT:
        return  # a run made it of a repository that had none, and so does this one
    try:
        git.run("fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "origin", commit)
        _check_out(git, commit, repository.branch or _find_default_branch(git))
    except GitFailed as failure:
        complaint = scrub(str(failure))
        if COMMIT_MISSING.search(complaint):
            raise CloneFailed(f"The repository has the commit {commit} no more.") from None
        raise CloneFailed(f"The repository could not be cloned: {find_reason(complaint)}") from None


def _find_default_branch(git: Git) -> str | None:
    try:
        found = DEFAULT_BRANCH.search(git.run("ls-remote", "--symref", "origin", "HEAD"))
    except GitFailed:
        return None
    return None if found is None else found[1]


def _check_out(git: Git, commit: str, branch: str | None) -> None:
    if branch is None:
        git.run("checkout", "--quiet", "--detach", commit)
        return
    git.run("checkout", "--quiet", "-B", branch, commit)
    git.run("update-ref", f"refs/remotes/origin/{branch}", commit)
    git.run("config", "remote.origin.fetch", f"+refs/heads/{branch}:refs/remotes/origin/{branch}")
    git.run("branch", "--quiet", f"--set-upstream-to=origin/{branch}", branch)


def find_reason(complaint: str) -> str:
    """The last two that git gives: of a full disk or a refusal the last alone tells only what came of it."""
    reasons = REASON.findall(complaint)
    return "; ".join(reasons[-2:])[:300] if reasons else complaint[-300:]


def with_credential(git: Git, repository: Repository, credential: GitCredential | None, stall_seconds: int) -> Git:
    """Git that offers the credential to this repository's server and to no other that it may be redirected to."""
    parts = urlsplit(repository.url)
    if "@" in parts.netloc:
        raise CloneFailed("The repository's address must not carry a credential.")
    configuration = {
        **git.configuration,
        "http.lowSpeedLimit": str(SLOW_BYTES_PER_SECOND),
        "http.lowSpeedTime": str(stall_seconds),
        "http.followRedirects": "initial" if repository.may_redirect else "false",
    }
    if credential is None:
        return replace(git, configuration=configuration)
    configuration[f"credential.{parts.scheme}://{parts.netloc}.helper"] = CREDENTIAL_HELPER
    offered = {"OUTPOST_GIT_USERNAME": credential.username, "OUTPOST_GIT_PASSWORD": credential.password}
    return replace(git, configuration=configuration, environment={**git.environment, **offered})


def _find_head(git: Git) -> str | None:
    """The commit; None in a repository that has none yet."""
    try:
        return git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except GitFailed:
        return None


def _commit_nothing(git: Git) -> str:
    committing = replace(git, environment=EPOCH)
    committing.run("commit", "--quiet", "--allow-empty", "--no-gpg-sign", "--message=Empty directory")
    return git.run("rev-parse", "--verify", "HEAD^{commit}")
