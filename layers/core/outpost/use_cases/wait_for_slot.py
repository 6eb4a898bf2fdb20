"""Records that an execution waits for its run's slot, and answers it where the slot was there first."""

from outpost.domain.errors import RunAlreadyEnded
from outpost.domain.run import Run, RunStatus
from outpost.ports import Clock, Executions, Identifiers, Runs, SigningKey
from outpost.use_cases.change_run import Change, change_run
from outpost.use_cases.start_execution import bootstrap_token


def wait_for_slot(
    tenant_id: str,
    run_id: str,
    wait_token: str,
    *,
    runs: Runs,
    executions: Executions,
    signing_key: SigningKey,
    clock: Clock,
    identifiers: Identifiers,
) -> Run:
    """The run, with the token by which its execution is told of the slot. Raises RunNotFound, RunAlreadyEnded."""

    def decide(run: Run) -> Change:
        if run.status.is_terminal:
            raise RunAlreadyEnded(run.status)
        return Change(run.waiting(wait_token))

    run = change_run(tenant_id, run_id, decide, runs=runs, clock=clock, identifiers=identifiers)
    if run.status is RunStatus.PENDING:
        executions.release(wait_token, bootstrap_token(run, signing_key=signing_key))
    return run
