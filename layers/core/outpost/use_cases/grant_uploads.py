"""Lets a runner store its results, each file by a URL that fits only these bytes."""

from collections.abc import Sequence
from datetime import datetime

from outpost.domain.errors import ClaimRefused, FieldError, InputInvalid, RunNotFound
from outpost.domain.report import Artifact
from outpost.domain.run import Run
from outpost.domain.workspace import Snapshot
from outpost.ports import Clock, Files, PresignedUrl, Runs
from outpost.use_cases.claim_run import RunnerIdentity


def grant_uploads(
    runner: RunnerIdentity, artifacts: Sequence[Artifact], *, runs: Runs, files: Files, clock: Clock
) -> tuple[PresignedUrl, ...]:
    """One URL a file, in the same order.

    Raises ClaimRefused once the run has ended or is another runner's, InputInvalid for a snapshot that it may not keep.
    """
    run = runs.get(runner.tenant_id, runner.run_id)
    if run is None:
        raise RunNotFound(runner.run_id)
    run.require_claim(runner.attempt, runner.claim_id)
    if run.status.is_terminal:
        raise ClaimRefused("the run has ended", run.status)
    now = clock.now()
    return tuple(_presign(run, artifact, files, now) for artifact in artifacts)


def _presign(run: Run, artifact: Artifact, files: Files, at: datetime) -> PresignedUrl:
    if not artifact.is_snapshot:
        return files.presign_upload(run.tenant_id, run.run_id, artifact, at=at)
    if run.workspace is None or artifact.size_bytes > run.workspace.most_bytes:
        raise InputInvalid((FieldError("uploads", "holds a snapshot that the run may not keep"),))
    snapshot = Snapshot(run.run_id, artifact.attempt, artifact.size_bytes, artifact.sha256)
    return files.presign_snapshot_upload(run.tenant_id, run.workspace.workspace_id, snapshot, at=at)
