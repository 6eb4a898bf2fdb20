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


def rerun_of(tenant_id: str, run_id: str, *, runs: Runs) -> Continuation:
    """The same beginning once more: base commit, and what had been left for that run. Raises RunNotFound."""
    parent = require_run(tenant_id, run_id, runs=runs)
    before = parent.origin
    commit = parent.result.base_sha if parent.result else (before.commit if before else None)
    origin = Origin(
        parent_run_id=run_id,
        kind=OriginKind.RERUN,
        commit=commit if parent.repo is not None else None,
        patch=before.patch if before else None,
        background_run_id=before.background_run_id if before else None,
    )
    return Continuation(parent, origin)


def follow_up_of(tenant_id: str, run_id: str, *, runs: Runs, workspaces: Workspaces, clock: Clock) -> Continuation:
    """What the run left: its workspace, if nobody has used it since, else its base commit and its patch.

    Raises RunNotFound, RunNotEnded, WorkNotKept where the run changed files and no patch of it is kept.
    """
    parent = require_run(tenant_id, run_id, runs=runs)
    if not parent.status.is_terminal:
        raise RunNotEnded(parent.status)
    workspace_id = _workspace_as_left(parent, workspaces)
    if workspace_id is not None:
        return Continuation(parent, Origin(run_id, OriginKind.FOLLOW_UP, background_run_id=run_id), workspace_id)
    stored = stored_files(parent, runs=runs, clock=clock)
    patch = next((LeftPatch(run_id, file) for file in stored if file.type == PATCH_TYPE), None)
    if patch is None and parent.result is not None and parent.result.files_changed:
        raise WorkNotKept("the run changed files, and its patch is not kept")
    commit = parent.result.base_sha if parent.result and parent.repo is not None else None
    origin = Origin(run_id, OriginKind.FOLLOW_UP, commit, patch, background_run_id=run_id)
    return Continuation(parent, origin)


def task_of(parent: Run, *, files: Files, clock: Clock) -> str:
    """The whole text of the earlier task. Raises WorkNotKept once only its beginning is kept."""
    task = read_task(parent, files=files, clock=clock)
    if task is None:
        raise WorkNotKept("the whole text of its task is not kept any more")
    return task


def _workspace_as_left(parent: Run, workspaces: Workspaces) -> str | None:
    if parent.workspace is None:
        return None
    workspace = workspaces.get(parent.tenant_id, parent.workspace.workspace_id)
    is_as_left = (
        workspace is not None
        and workspace.leased_by is None
        and workspace.snapshot is not None
        and workspace.snapshot.run_id == parent.run_id
    )
    return parent.workspace.workspace_id if is_as_left else None
