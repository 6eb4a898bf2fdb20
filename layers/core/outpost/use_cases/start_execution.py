"""Starts a run's execution; the input is made of the record alone, so that a second start is the same start."""

from datetime import timedelta

from outpost.domain.run import START_ALLOWANCE_SECONDS, Run
from outpost.domain.token import Purpose, sign
from outpost.ports import Executions, SigningKey

# A run that could not be launched at once may be launched by the sweep; its token has to outlive that.
BOOTSTRAP_VALIDITY = timedelta(seconds=2 * START_ALLOWANCE_SECONDS)


def start_execution(run: Run, *, executions: Executions, signing_key: SigningKey) -> None:
    """Start the execution of a run that waits for its runner, or for its slot: then the token comes with that."""
    executions.start(run, "" if run.is_queued else bootstrap_token(run, signing_key=signing_key))


def release_execution(run: Run, *, executions: Executions, signing_key: SigningKey) -> None:
    """Let the execution of a run that has got its slot go on; one that has not asked yet hears it when it asks."""
    for wait_token in run.wait_tokens:
        executions.release(wait_token, bootstrap_token(run, signing_key=signing_key))


def bootstrap_token(run: Run, *, signing_key: SigningKey) -> str:
    """The token with which the runner of the waiting attempt claims it: derived from the record, never stored."""
    return sign(
        signing_key.value(),
        Purpose.RUNNER_BOOTSTRAP,
        {
            "tenant": run.tenant_id,
            "run": run.run_id,
            "attempt": run.attempt,
            "exp": int((run.status_since + BOOTSTRAP_VALIDITY).timestamp()),
        },
    )
