"""Collects what every run leaves: its patch and its log."""

import time
from collections.abc import Sequence

from outpost_runner.artifacts import Omission
from outpost_runner.patch import Patch, PatchNotMade, make_patch, read_head
from outpost_runner.process import Watch
from outpost_runner.results import Results
from outpost_runner.session import Session
from outpost_runner.uploads import Upload, UploadKind, describe_file
from outpost_runner.work import Work
from outpost_runner.workspace import Base

PATCH_NAME = "changes.patch"
LOG_NAME = "output.log"
READ_HEAD_SECONDS = 5.0
MAX_NAMED = 5


def collect_patch(session: Session, work: Work, base: Base, results: Results) -> list[Upload]:
    """The patch, if there is one; what is missing of it goes into the results."""
    since = time.monotonic()
    head_watch = Watch(lambda: min(since + READ_HEAD_SECONDS, session.clock.collect_by(since)), lambda: False)
    results.head = read_head(session.agent_git(work.user, head_watch), base)
    try:
        patch = make_patch(
            base,
            session.folders,
            limit_bytes=session.claim.limits.patch_bytes,
            deadline=lambda: session.clock.collect_by(since),
            say=session.log.say,
        )
    except PatchNotMade as error:
        reason = session.redactor.redact(str(error))
        results.lose(reason)
        results.omitted.append(Omission(PATCH_NAME, reason))
        return []
    results.statistics = patch.statistics
    _note_repositories(session, patch)
    if patch.omitted is not None:
        results.omitted.append(Omission(PATCH_NAME, patch.omitted))
    for left_out in patch.left_out:
        reason = session.redactor.redact(left_out.reason)
        results.omitted.append(Omission(PATCH_NAME, reason))
        if left_out.is_lost:
            results.lose(reason)
    return [] if patch.path is None else [describe_file(PATCH_NAME, UploadKind.PATCH, patch.path)]


def collect_log(session: Session) -> list[Upload]:
    """The output, if there was any."""
    path = session.folders.output_copy
    has_output = path.exists() and path.stat().st_size
    return [describe_file(LOG_NAME, UploadKind.LOG, path)] if has_output else []


def _note_repositories(session: Session, patch: Patch) -> None:
    if patch.submodules:
        names = _name_some(patch.submodules)
        session.notices.add(f"Submodules are not checked out, and the patch has nothing of what is in them: {names}.")
    if patch.nested:
        names = _name_some(patch.nested)
        session.notices.add(f"The patch has the files of repositories inside the tree, not their commits: {names}.")


def _name_some(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
