"""The promotion's own time: commit the patch on the base branch's head, push the branch, open the pull request."""

from outpost_runner.claim import GitCredential
from outpost_runner.download import DownloadFailed, StoredFileLost, download_file
from outpost_runner.git import Git, object_format_of
from outpost_runner.promotion.base import Base, choose_base, refuse_malformed, refuse_protected
from outpost_runner.promotion.claim import PromotionClaim
from outpost_runner.promotion.commit import as_author, commit_tree, is_of_run
from outpost_runner.promotion.compare_url import make_compare_url
from outpost_runner.promotion.errors import BranchTaken, CommitMissing, GitTokenMissing, NotPromotable, PromotionFailed
from outpost_runner.promotion.github import GitHub, Proposal, PullRequest
from outpost_runner.promotion.github_requests import GitHubRequests
from outpost_runner.promotion.patched_tree import apply_patch, merge_onto
from outpost_runner.promotion.push import push_branch
from outpost_runner.promotion.remote import fetch_commits, list_branches
from outpost_runner.promotion.report import Promotion
from outpost_runner.promotion.session import PromotionSession
from outpost_runner.retries import Backoff

GITHUB = "github"


def promote(session: PromotionSession, promotion: Promotion) -> None:
    """Fill the promotion in, step by step; raises PromotionFailed, or what Git.run raises.

    What an earlier try of the same promotion has pushed is gone on from.
    """
    claim = session.claim
    if claim.git is None:
        raise GitTokenMissing("There is no git credential to push with.")
    git, fetching = _prepare(session), session.fetching_git(claim.git)
    refuse_malformed(git, claim.branch)
    names = {claim.branch, claim.base_branch or claim.branch}
    session.log.say(f"Looking at {claim.repository_url}.")
    remote = list_branches(fetching, claim.repository_url, *names)
    base = choose_base(claim, remote)
    promotion.base_branch = base.branch
    refuse_protected(claim.branch, base, remote)
    pushed = remote.commits.get(claim.branch)
    if pushed is None:
        promotion.commit = _make_branch(session, claim.git, git, base)
    else:
        promotion.commit = _go_on_from(session, git, fetching, pushed)
    promotion.compare_url = make_compare_url(claim.repository_url, base.branch, claim.branch)
    if claim.host.kind == GITHUB:
        promotion.pull_request = _propose(session, claim.git, base, promotion.commit)


def _prepare(session: PromotionSession) -> Git:
    session.folders.base_repository.mkdir(mode=0o700)
    git = session.git()
    git.run("init", "--quiet", "--bare", "--template=", object_format_of(session.claim.base_commit), ".")
    return git


def _make_branch(session: PromotionSession, credential: GitCredential, git: Git, base: Base) -> str:
    claim = session.claim
    session.log.say(f"Fetching {base.commit[:12]}, the head of {base.branch}, and the run's base.")
    fetching = session.fetching_git(credential)
    _fetch_both(fetching, claim, base)
    commit = _commit_patch(session, git, base)
    session.log.say(f"Pushing {commit[:12]} to {claim.branch}.")
    try:
        push_branch(session.pushing_git(credential), claim.repository_url, claim.branch, commit)
    except PromotionFailed:
        if (pushed := _look_again(session, fetching)) is None:
            raise
        return _go_on_from(session, git, fetching, pushed)
    return commit


def _fetch_both(fetching: Git, claim: PromotionClaim, base: Base) -> None:
    commits = dict.fromkeys([claim.base_commit, base.commit])
    try:
        fetch_commits(fetching, claim.repository_url, [*commits])
    except CommitMissing as missing:
        if missing.commit != claim.base_commit:
            raise
        raise NotPromotable("The repository has the commit no more that the run began with.") from missing


def _look_again(session: PromotionSession, fetching: Git) -> str | None:
    """What the branch is at after a push that failed: somebody was faster, or only the answer was lost."""
    claim = session.claim
    try:
        return list_branches(fetching, claim.repository_url, claim.branch).commits.get(claim.branch)
    except PromotionFailed:
        return None


def _commit_patch(session: PromotionSession, git: Git, base: Base) -> str:
    claim, folders = session.claim, session.folders
    try:
        download_file(claim.patch, folders.patch, session.clock.work_patience(), Backoff())
    except StoredFileLost as error:
        raise NotPromotable(f"The run's patch is not to be had: {error}.") from error
    except DownloadFailed as error:
        raise PromotionFailed(f"The run's patch is not to be had: {error}.") from error
    session.log.say(f"Applying the patch of {claim.patch.size_bytes} bytes.")
    tree = apply_patch(git, claim.base_commit, folders.patch)
    tree = merge_onto(as_author(git, claim.author, 0), claim.base_commit, tree, base.commit)
    return commit_tree(git, claim, tree, base.commit)


def _go_on_from(session: PromotionSession, git: Git, fetching: Git, pushed: str) -> str:
    """The branch is there: as an earlier try of this promotion left it, or as somebody else's."""
    claim = session.claim
    fetch_commits(fetching, claim.repository_url, [pushed])
    if not is_of_run(git, pushed, claim.run_id):
        raise BranchTaken(claim.branch)
    session.log.say(f"The branch is there already, at {pushed[:12]}.")
    return pushed


def _propose(session: PromotionSession, credential: GitCredential, base: Base, commit: str) -> PullRequest:
    claim = session.claim
    session.log.say(f"Opening the pull request into {base.branch}.")
    requests = GitHubRequests(claim.host.api_url, credential.password, session.clock.work_patience())
    proposal = Proposal(claim.branch, commit, base.branch, claim.title, claim.body, claim.draft)
    return GitHub(requests, claim.host.repository).propose(proposal)
