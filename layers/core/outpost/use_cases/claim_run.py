"""Gives a run to the runner that claims it, once."""

from dataclasses import dataclass
from datetime import timedelta

from outpost.domain.errors import CallerUnknown, ClaimRefused
from outpost.domain.event import EventType
from outpost.domain.run import STOP_GRACE_SECONDS, Run
from outpost.domain.token import Purpose, TokenInvalid, sign, verify
from outpost.ports import Clock, Files, Identifiers, Runs, SigningKey, WorkForbidden
from outpost.use_cases.change_run import Change, change_run
from outpost.use_cases.finish_run import mark_stopping


@dataclass(frozen=True)
class RunnerIdentity:
    """The run and attempt that a runner's token is bound to, and its claim once it has one."""

    tenant_id: str
    run_id: str
    attempt: int
    claim_id: str = ""


@dataclass(frozen=True)
class Claimed:
    """What the runner gets: the run, the whole text of its task, and a token for the rest of the attempt."""

    run: Run
    task: str
    session_token: str


def identify_runner(token: str | None, purpose: Purpose, *, signing_key: SigningKey, clock: Clock) -> RunnerIdentity:
    """The runner that a token was made for. Raises CallerUnknown."""
    try:
        claims = verify(signing_key.value(), purpose, token or "", clock.now())
    except TokenInvalid as error:
        raise CallerUnknown(str(error)) from error
    return RunnerIdentity(
        str(claims["tenant"]), str(claims["run"]), int(claims["attempt"]), str(claims.get("claim", ""))
    )


def claim_run(
    runner: RunnerIdentity,
    *,
    claim_id: str,
    task_arn: str | None,
    runs: Runs,
    files: Files,
    signing_key: SigningKey,
    clock: Clock,
    identifiers: Identifiers,
) -> Claimed:
    """The run, now RUNNING in this runner's hands; the same claim again gives the same. Raises ClaimRefused.

    Where a kill switch is on, or the tenant suspended, the run is marked as stopping for that reason, and refused.
    """

    def decide(run: Run) -> Change:
        claimed = run.claimed(attempt=runner.attempt, claim_id=claim_id, task_arn=task_arn, at=clock.now())
        return Change(claimed, EventType.RUN_RUNNING)

    try:
        run = change_run(runner.tenant_id, runner.run_id, decide, runs=runs, clock=clock, identifiers=identifiers)
    except WorkForbidden as forbidden:
        stopped = mark_stopping(
            runner.tenant_id,
            runner.run_id,
            runner.attempt,
            forbidden.code,
            runs=runs,
            clock=clock,
            identifiers=identifiers,
        )
        raise ClaimRefused("the run may not be worked on", stopped.status) from forbidden
    task = files.get_task(run.tenant_id, run.run_id) if run.task_in_bucket else run.task
    return Claimed(run, task, _session_token(run, signing_key))


def _session_token(run: Run, signing_key: SigningKey) -> str:
    ends = (run.deadline or run.created_at) + timedelta(seconds=2 * STOP_GRACE_SECONDS)
    return sign(
        signing_key.value(),
        Purpose.RUNNER_SESSION,
        {
            "tenant": run.tenant_id,
            "run": run.run_id,
            "attempt": run.attempt,
            "claim": run.claim_id or "",
            "exp": int(ends.timestamp()),
        },
    )
