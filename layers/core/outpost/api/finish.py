"""What the finish function answers to the state machine."""

from outpost.domain.run import Run, RunStatus
from outpost.ports import SigningKey
from outpost.use_cases.start_execution import bootstrap_token


def no_run_view() -> dict[str, object]:
    """What the evidence of no run comes to."""
    return {"runId": None, "status": "NO_RUN", "error": None}


def finished_view(run: Run, heard_of_attempt: int, signing_key: SigningKey) -> dict[str, object]:
    """The status of the run and its error; where the attempt was followed by another, what that one needs."""
    error = {"code": run.error.code, "message": run.error.message} if run.error else None
    view: dict[str, object] = {"runId": run.run_id, "status": run.status, "attempt": run.attempt, "error": error}
    if run.status is RunStatus.PENDING and run.attempt > heard_of_attempt:
        view["bootstrapToken"] = bootstrap_token(run, signing_key=signing_key)
    return view
