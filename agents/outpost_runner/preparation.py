"""Gives the agent its working tree: what an earlier run left of it, or a new one."""

import time
from dataclasses import dataclass
from pathlib import Path

from outpost_runner.agent_user import AgentUser
from outpost_runner.claim import StoredFile
from outpost_runner.download import DownloadFailed, StoredFileLost, download_file
from outpost_runner.earlier_patch import apply_earlier_patch
from outpost_runner.git import GitFailed
from outpost_runner.heartbeats import Phase
from outpost_runner.process import Ending, ProgramNotStarted
from outpost_runner.program import ProgramInterrupted
from outpost_runner.session import Session
from outpost_runner.workspace import Base, CloneFailed, find_base, introduce_agent, prepare_workspace
from outpost_runner.workspace_archive import ArchiveWorthless, NotUnpacked, unpack_workspace

LONGEST_REASON = 90
# All else may pass, such as a full disk or an address that was good for too short: a later run may have the tree.
PROOFS_OF_LOSS = (StoredFileLost, ArchiveWorthless)


@dataclass(frozen=True)
class Prepared:
    """`restored` is None where there was nothing to restore; what `is_out_of_reach` may be whole all the same."""

    base: Base
    restored: bool | None
    has_earlier_work: bool
    is_out_of_reach: bool = False


def prepare_tree(session: Session, user: AgentUser | None) -> Prepared:
    """Restore the snapshot if there is one, else clone; raises CloneFailed, ProgramInterrupted and what git raises.

    A snapshot that cannot be restored is no reason to do nothing: then the tree is made as if there were none.
    """
    session.heartbeats.enter(Phase.CLONING)
    session.folders.give_to(user)
    missing = _fetch_patch(session)
    run = session.claim.run
    snapshot = None if run.workspace is None else run.workspace.snapshot
    if snapshot is None:
        return _begin(session, user, missing, restored=None)
    session.log.say("Restoring the workspace.")
    try:
        return Prepared(_restore(session, user, snapshot), restored=True, has_earlier_work=True)
    except (DownloadFailed, NotUnpacked, GitFailed, ProgramNotStarted, OSError) as error:
        session.folders.earlier_snapshot.unlink(missing_ok=True)
        _give_up_restoring(session, user, error)
        return _begin(session, user, missing, restored=False, is_out_of_reach=not isinstance(error, PROOFS_OF_LOSS))
    finally:
        session.folders.earlier_snapshot.unlink(missing_ok=True)


def _fetch_patch(session: Session) -> DownloadFailed | None:
    """Before what takes long, as its address is not good for long; why it is missing, which a snapshot makes up for."""
    patch = session.claim.run.patch
    if patch is None:
        return None
    session.log.say("Fetching the earlier run's patch.")
    try:
        _download(session, patch, session.folders.earlier_patch)
    except DownloadFailed as error:
        return error
    return None


def _begin(
    session: Session,
    user: AgentUser | None,
    missing: DownloadFailed | None,
    *,
    restored: bool | None,
    is_out_of_reach: bool = False,
) -> Prepared:
    """Without a snapshot: the clone, with an earlier run's patch where the claim has one."""
    if missing is not None:
        raise CloneFailed(f"The earlier run's patch cannot be had: {missing}.") from missing
    base, has_patch = _clone(session, user), session.claim.run.patch is not None
    if has_patch:
        session.log.say("Applying the earlier run's patch.")
        git = session.agent_git(user, session.run_watch())
        apply_earlier_patch(git, session.folders.earlier_patch, session.redactor.redact)
    return Prepared(base, restored, has_earlier_work=has_patch, is_out_of_reach=is_out_of_reach)


def _give_up_restoring(session: Session, user: AgentUser | None, error: Exception) -> None:
    reason = session.redactor.redact(str(error))[:LONGEST_REASON]
    instead = "an empty one was begun" if session.claim.run.repository is None else "the repository was cloned"
    session.notices.add(f"The workspace could not be restored: {reason}; {instead} instead.")
    session.folders.begin_again(user)


def _restore(session: Session, user: AgentUser | None, snapshot: StoredFile) -> Base:
    folders = session.folders
    _download(session, snapshot, folders.earlier_snapshot)
    unpack_workspace(folders, user, folders.earlier_snapshot, session.run_watch())
    base = find_base(session.base_git(folders.base_repository, session.run_watch()))
    try:
        introduce_agent(session.agent_git(user, session.run_watch()))
    except GitFailed:
        session.log.say("The repository of the workspace is not what it was: an earlier run has changed it.")
    return base


def _clone(session: Session, user: AgentUser | None) -> Base:
    repository = session.claim.run.repository
    session.log.say("Preparing the workspace." if repository is None else f"Cloning {repository.url}.")
    return prepare_workspace(
        session.agent_git(user, session.run_watch()),
        session.folders,
        repository,
        session.claim.git,
        stall_seconds=session.settings.clone_stall_seconds,
        scrub=session.redactor.redact,
    )


def _download(session: Session, file: StoredFile, path: Path) -> None:
    """Raises DownloadFailed, or ProgramInterrupted when the run ended meanwhile."""
    try:
        download_file(file, path, session.run_patience(), session.broker.backoff)
    except DownloadFailed:
        if session.clock.stop.is_requested():
            raise ProgramInterrupted("the download", Ending.STOPPED) from None
        if time.monotonic() >= session.clock.run_deadline():
            raise ProgramInterrupted("the download", Ending.DEADLINE) from None
        raise
