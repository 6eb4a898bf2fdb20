"""Starts a run's execution; the input is made of the record alone, so that a second start is the same start."""

from datetime import timedelta

from outpost.domain.run import START_ALLOWANCE_SECONDS, Run
from outpost.domain.token import Purpose, sign
from outpost.ports import Executions, SigningKey

# A run that could not be launched at once may be launched by the sweep; its token has to outlive that.
BOOTSTRAP_VALIDITY = timedelta(seconds=2 * START_ALLOWANCE_SECONDS)


def start_execution(run: Run, *, executions: Executions, signing_key: SigningKey) -> None:
    """Start the run's execution, with a bootstrap token that is derived and never stored."""
    token = sign(
        signing_key.value(),
        Purpose.RUNNER_BOOTSTRAP,
        {
            "tenant": run.tenant_id,
            "run": run.run_id,
            "attempt": run.attempt,
            "exp": int((run.created_at + BOOTSTRAP_VALIDITY).timestamp()),
        },
    )
    executions.start(run, token)
