"""Finds what a run that goes back to another one begins with: the same base, or what the other left."""

from dataclasses import dataclass

from outpost.domain.errors import RunNotEnded, WorkNotKept
from outpost.domain.origin import LeftPatch, Origin, OriginKind
from outpost.domain.run import Run
from outpost.ports import Clock, Files, Runs, Workspaces
from outpost.use_cases.find_results import PATCH_TYPE, read_task, require_run, stored_files


@dataclass(frozen=True)
class Continuation:
    """The earlier run, where to begin, and the workspace to go on in, if it is still as that run left it."""

    parent: Run
    origin: Origin
    workspace_id: str | None = None


def rerun_of(tenant_id: str, run_id: str, *, is_elsewhere: bool, runs: Runs, clock: Clock) -> Continuation:
    """The same beginning once more: base commit, and what had been left for that run.

    A run that `is_elsewhere` begins with neither: another place has another history. Raises RunNotFound, WorkNotKept.
    """
    parent = require_run(tenant_id, run_id, runs=runs)
    before = parent.origin
    if is_elsewhere or before is None:
        commit = None if is_elsewhere else _base_of(parent)
        return Continuation(parent, Origin(run_id, OriginKind.RERUN, commit))
    patch = _still_kept(parent, before.patch, runs, clock)
    return Continuation(
        parent, Origin(run_id, OriginKind.RERUN, _base_of(parent), patch, background_run_id=before.background_run_id)
    )


def follow_up_of(tenant_id: str, run_id: str, *, runs: Runs, workspaces: Workspaces, clock: Clock) -> Continuation:
    """What the run left: its workspace, if nobody has used it since, and its base commit and its patch.

    A run that ended without a result left what it had begun with. Commit and patch are also for where the workspace
    cannot be restored. Raises RunNotFound, RunNotEnded, WorkNotKept where the run changed files and neither is kept.
    """
    parent = require_run(tenant_id, run_id, runs=runs)
    if not parent.status.is_terminal:
        raise RunNotEnded(parent.status)
    workspace_id = _workspace_as_left(parent, workspaces, clock)
    stored = stored_files(parent, runs=runs, clock=clock)
    patch = next((LeftPatch(run_id, file) for file in stored if file.type == PATCH_TYPE), None)
    before, background_run_id = parent.origin, run_id
    if patch is None and parent.result is None and before is not None:
        patch = _still_kept(parent, before.patch, runs, clock, is_needed=workspace_id is None)
        background_run_id = before.background_run_id or run_id
    if workspace_id is None and patch is None and parent.result is not None and parent.result.files_changed:
        raise WorkNotKept("the run changed files, and its patch is not kept")
    origin = Origin(run_id, OriginKind.FOLLOW_UP, _base_of(parent), patch, background_run_id)
    return Continuation(parent, origin, workspace_id)


def _base_of(run: Run) -> str | None:
    """The commit that the run's work began with, as far as it is known."""
    if run.repo is None:
        return None
    reported = run.result.base_sha if run.result else None
    return reported or (run.origin.commit if run.origin else None)


def _still_kept(
    run: Run, patch: LeftPatch | None, runs: Runs, clock: Clock, *, is_needed: bool = True
) -> LeftPatch | None:
    """The patch that the run began with. Raises WorkNotKept once it is gone and nothing stands in for it."""
    if patch is None:
        return None
    left_by = runs.get(run.tenant_id, patch.run_id)
    if left_by is None or not left_by.has_results(clock.now()):
        if not is_needed:
            return None
        raise WorkNotKept("the patch that the run began with is not kept any more")
    return patch


def task_of(parent: Run, *, files: Files, clock: Clock) -> str:
    """The whole text of the earlier task. Raises WorkNotKept once only its beginning is kept."""
    task = read_task(parent, files=files, clock=clock)
    if task is None:
        raise WorkNotKept("the whole text of its task is not kept any more")
    return task


def _workspace_as_left(parent: Run, workspaces: Workspaces, clock: Clock) -> str | None:
    """The parent's workspace, if its tree is the one that the parent left; the bucket keeps a tree as long as results.

    A run without a result has left the tree as it had found it.
    """
    if parent.workspace is None or not parent.has_results(clock.now()):
        return None
    workspace = workspaces.get(parent.tenant_id, parent.workspace.workspace_id)
    if workspace is None or workspace.leased_by is not None or workspace.snapshot is None:
        return None
    is_its_own = workspace.snapshot.run_id == parent.run_id
    is_untouched = parent.result is None and workspace.last_run_id == parent.run_id
    return workspace.workspace_id if is_its_own or is_untouched else None
