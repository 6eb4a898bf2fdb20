"""Gives a run to the runner that claims it, once."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from outpost.domain.agents import AGENTS
from outpost.domain.credentials import Credentials
from outpost.domain.errors import CallerUnknown, ClaimRefused
from outpost.domain.event import EventType
from outpost.domain.git import is_on_host
from outpost.domain.run import STOP_GRACE_SECONDS, Run
from outpost.domain.token import Purpose, TokenInvalid, sign, verify
from outpost.ports import Clock, Files, Identifiers, Runs, SigningKey, TenantSecrets, Vault, WorkForbidden, Workspaces
from outpost.use_cases.change_run import Change, change_run
from outpost.use_cases.find_credentials import find_credentials
from outpost.use_cases.find_start import Start, find_start
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
    """What the runner gets: the run, the whole text of its task, its keys, and a token for the rest of the attempt."""

    run: Run
    task: str
    credentials: Credentials
    session_token: str
    start: Start = field(default_factory=Start)


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
    git_base_url: str,
    runs: Runs,
    workspaces: Workspaces,
    files: Files,
    secrets: TenantSecrets,
    vault: Vault,
    signing_key: SigningKey,
    clock: Clock,
    identifiers: Identifiers,
) -> Claimed:
    """The run, now RUNNING in this runner's hands; the same claim again gives the same. Raises ClaimRefused.

    Keys are looked up only for a claim that holds, and before its record: a look-up that fails costs no attempt.

    Where a kill switch is on, or the tenant suspended, the run is marked as stopping for that reason, and refused.
    """

    found = Credentials()

    def decide(run: Run) -> Change:
        nonlocal found
        claimed = run.claimed(attempt=runner.attempt, claim_id=claim_id, task_arn=task_arn, at=clock.now())
        found = _find_credentials(run, git_base_url, secrets, vault)
        if claimed == run:
            return Change(run)
        is_own = found.provider is not None and found.provider.is_own
        return Change(replace(claimed, has_own_provider_key=is_own), EventType.RUN_RUNNING)

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
    start = find_start(run, runs=runs, workspaces=workspaces, files=files, clock=clock)
    return Claimed(run, task, found, _session_token(run, signing_key), start)


def _find_credentials(run: Run, git_base_url: str, secrets: TenantSecrets, vault: Vault) -> Credentials:
    return find_credentials(
        run.tenant_id,
        AGENTS[run.agent].provider,
        run.repo is not None and is_on_host(run.repo, git_base_url),
        run.secrets,
        run.own_secrets_only,
        secrets=secrets,
        vault=vault,
    )


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
