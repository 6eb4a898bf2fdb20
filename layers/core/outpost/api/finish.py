"""What the finish function answers to the state machine."""

from outpost.domain.run import Run


def finished_view(run: Run | None) -> dict[str, object]:
    """The status of the run, with its error if it has one, or that the evidence was of no run."""
    if run is None:
        return {"runId": None, "status": "NO_RUN", "error": None}
    error = {"code": run.error.code, "message": run.error.message} if run.error else None
    return {"runId": run.run_id, "status": run.status, "error": error}
