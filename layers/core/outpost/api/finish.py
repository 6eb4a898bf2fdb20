"""What the finish function answers to the state machine."""

from outpost.domain.run import Run, RunStatus
from outpost.ports import SigningKey
from outpost.use_cases.start_execution import bootstrap_token


def finished_view(run: Run | None, signing_key: SigningKey) -> dict[str, object]:
    """The status of the run and its error; where it waits for its runner, what that one needs to claim it."""
    if run is None:
        return {"runId": None, "status": "NO_RUN", "error": None}
    error = {"code": run.error.code, "message": run.error.message} if run.error else None
    view: dict[str, object] = {"runId": run.run_id, "status": run.status, "attempt": run.attempt, "error": error}
    if run.status is RunStatus.PENDING:
        view["bootstrapToken"] = bootstrap_token(run, signing_key=signing_key)
    return view
