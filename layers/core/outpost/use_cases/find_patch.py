"""Finds the patch of a run among its stored files."""

from outpost.domain.errors import PatchNotFound, RunNotFound
from outpost.domain.run import Artifact, Run
from outpost.ports import Runs

PATCH_TYPE = "patch"


def find_patch(tenant_id: str, run_id: str, *, runs: Runs) -> tuple[Run, Artifact]:
    """The run and its patch. Raises RunNotFound, PatchNotFound."""
    run = require_run(tenant_id, run_id, runs=runs)
    stored = runs.artifacts(tenant_id, run_id) if run.report else ()
    patch = next((artifact for artifact in stored if artifact.type == PATCH_TYPE), None)
    if patch is None:
        raise PatchNotFound(run_id)
    return run, patch


def require_run(tenant_id: str, run_id: str, *, runs: Runs) -> Run:
    """The run. Raises RunNotFound."""
    run = runs.get(tenant_id, run_id)
    if run is None:
        raise RunNotFound(run_id)
    return run
