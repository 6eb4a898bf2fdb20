"""Where a promotion's commit goes: onto which commit, and into which branch it is proposed."""

from dataclasses import dataclass

from outpost_runner.git import Git, GitFailed
from outpost_runner.process import ProgramNotStarted
from outpost_runner.promotion.claim import PromotionClaim
from outpost_runner.promotion.errors import BaseNotFetched, PushRefused
from outpost_runner.promotion.remote import RemoteBranches


@dataclass(frozen=True)
class Base:
    branch: str
    commit: str


def choose_base(claim: PromotionClaim, remote: RemoteBranches) -> Base:
    """The head of the base branch as it is now; where that is gone, the run's own base, proposed for the default."""
    wanted = claim.base_branch or remote.default
    if wanted is not None and wanted in remote.commits:
        return Base(wanted, remote.commits[wanted])
    if remote.default is None or remote.default not in remote.commits:
        raise BaseNotFetched("The repository has no branch to propose the work for.")
    return Base(remote.default, claim.base_commit)


def refuse_protected(branch: str, base: Base, remote: RemoteBranches) -> None:
    """A promotion makes a branch of its own; raises PushRefused for one that others build on."""
    if branch == remote.default:
        raise PushRefused(f"{branch!r} is the repository's default branch; a promotion pushes to a branch of its own.")
    if branch == base.branch:
        raise PushRefused(f"{branch!r} is the base branch itself; a promotion pushes to a branch of its own.")


def refuse_malformed(git: Git, branch: str) -> None:
    """Raise PushRefused for what git takes for no name of a branch."""
    try:
        is_plain = git.run("check-ref-format", "--branch", branch) == branch
    except (GitFailed, ProgramNotStarted):
        is_plain = False
    if not is_plain:
        raise PushRefused(f"{branch!r} is not the name of a branch.")
