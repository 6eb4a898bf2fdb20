"""Finds what a run left in the bucket: its task's text, its files, its patch."""

from outpost.domain.errors import PatchNotFound, RunNotFound
from outpost.domain.report import Artifact
from outpost.domain.run import Run
from outpost.ports import Clock, Files, Runs

PATCH_TYPE = "patch"


def find_patch(tenant_id: str, run_id: str, *, runs: Runs, clock: Clock) -> tuple[Run, Artifact]:
    """The run and its patch. Raises RunNotFound, PatchNotFound."""
    run = require_run(tenant_id, run_id, runs=runs)
    stored = stored_files(run, runs=runs, clock=clock)
    patch = next((artifact for artifact in stored if artifact.type == PATCH_TYPE), None)
    if patch is None:
        raise PatchNotFound(run_id)
    return run, patch


def stored_files(run: Run, *, runs: Runs, clock: Clock) -> tuple[Artifact, ...]:
    """The files that the run stored and that are still kept."""
    return runs.artifacts(run.tenant_id, run.run_id, run.attempt) if run.report and run.has_results(clock.now()) else ()


def read_task(run: Run, *, files: Files, clock: Clock) -> str | None:
    """The whole text of the run's task, or None where only its beginning is kept."""
    if not run.task_in_bucket:
        return run.task
    return files.get_task(run.tenant_id, run.run_id) if run.has_results(clock.now()) else None


def require_run(tenant_id: str, run_id: str, *, runs: Runs) -> Run:
    """The run. Raises RunNotFound."""
    run = runs.get(tenant_id, run_id)
    if run is None:
        raise RunNotFound(run_id)
    return run
