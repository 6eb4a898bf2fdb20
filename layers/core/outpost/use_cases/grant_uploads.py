"""Lets a runner store its results, each file by a URL that fits only these bytes."""

from collections.abc import Sequence

from outpost.domain.errors import ClaimRefused, RunNotFound
from outpost.domain.report import Artifact
from outpost.ports import Clock, Files, PresignedUrl, Runs
from outpost.use_cases.claim_run import RunnerIdentity


def grant_uploads(
    runner: RunnerIdentity, artifacts: Sequence[Artifact], *, runs: Runs, files: Files, clock: Clock
) -> tuple[PresignedUrl, ...]:
    """One URL a file, in the same order. Raises ClaimRefused once the run has ended or is another runner's."""
    run = runs.get(runner.tenant_id, runner.run_id)
    if run is None:
        raise RunNotFound(runner.run_id)
    run.require_claim(runner.attempt, runner.claim_id)
    if run.status.is_terminal:
        raise ClaimRefused("the run has ended", run.status)
    now = clock.now()
    return tuple(files.presign_upload(run.tenant_id, run.run_id, artifact, at=now) for artifact in artifacts)
