"""Accepts a dispatch: one transaction records the run, then its execution is started."""

import logging
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from outpost.domain.admission import Form
from outpost.domain.api_key import Caller, Scope
from outpost.domain.errors import (
    CallerUnknown,
    FieldError,
    InputInvalid,
    OutpostError,
    Refusal,
    ScopeMissing,
    TenantSuspended,
)
from outpost.domain.event import Event, EventType
from outpost.domain.git import is_on_host
from outpost.domain.origin import Origin
from outpost.domain.promotion import PromotionWish
from outpost.domain.run import CHECK_SECONDS, QUEUE_TIMEOUT_SECONDS, ContextLevel, Priority, Run, RunStatus
from outpost.domain.secret import MOST_SECRETS, SecretKind
from outpost.domain.size import Size
from outpost.domain.usage import ModelBudget
from outpost.domain.workspace import WorkspaceUse
from outpost.ports import (
    Accounts,
    ApiKeys,
    Clock,
    Executions,
    Files,
    IdempotencyLock,
    Identifiers,
    RunExistsAlready,
    Runs,
    SigningKey,
    TenantSecrets,
    Terms,
    Workspaces,
)
from outpost.use_cases.admit_run import Wish, admit_run
from outpost.use_cases.authenticate import prove_key
from outpost.use_cases.find_replay import find_valid_lock, replay
from outpost.use_cases.start_execution import start_execution

logger = logging.getLogger(__name__)

IDEMPOTENCY_HOURS = 24
# A DynamoDB item holds 400 KB, and a write costs by the kilobyte: longer texts lie in the bucket.
INLINE_TASK_BYTES = 16_384
PREVIEW_CHARACTERS = 1_000


@dataclass(frozen=True)
class Dispatch:
    """A validated request for a run; `body_sha256` stands for the request where an idempotency key is used again."""

    agent: str
    model_id: str
    task: str
    timeout_seconds: int
    body_sha256: str
    api_url: str
    git_base_url: str
    size: Size
    budget: ModelBudget = field(default_factory=ModelBudget)
    context: ContextLevel = ContextLevel.STANDARD
    secrets: tuple[str, ...] = ()
    priority: Priority = Priority.NORMAL
    queue_timeout_seconds: int = QUEUE_TIMEOUT_SECONDS
    repo: str | None = None
    branch: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    requested_by: str | None = None
    workspace_id: str | None = None
    is_persistent: bool = False
    check: str | None = None
    promote: PromotionWish | None = None
    origin: Origin | None = None
    batch_id: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Dispatched:
    """The run of a dispatch, and whether an earlier request had made it."""

    run: Run
    is_replay: bool


def dispatch_run(
    caller: Caller,
    dispatch: Dispatch,
    terms: Terms,
    *,
    runs: Runs,
    accounts: Accounts,
    secrets: TenantSecrets,
    workspaces: Workspaces,
    api_keys: ApiKeys,
    full_tenants: MutableMapping[str, Form],
    files: Files,
    executions: Executions,
    signing_key: SigningKey,
    clock: Clock,
    identifiers: Identifiers,
) -> Dispatched:
    """Record the run and start its execution, which waits for a slot where there is none.

    Raises ScopeMissing, IdempotencyConflict, and what `admit_run` refuses. Once the record is written nothing is
    refused any more: what does not start now is started by the sweep.
    """
    if dispatch.promote is not None and Scope.PROMOTE not in caller.scopes:
        raise ScopeMissing(Scope.PROMOTE)
    now = clock.now()
    workspace = _workspace_use(dispatch, now, identifiers)
    wanted = _new_run(caller, dispatch, workspace, run_id=identifiers.new(now), at=now)
    if wanted.task_in_bucket:
        files.put_task(wanted.tenant_id, wanted.run_id, dispatch.task)
    wish = Wish(caller, wanted, _lock(wanted, dispatch), dispatch.git_base_url)

    try:
        _require_secrets(caller.tenant_id, dispatch.secrets, secrets)
        run = admit_run(
            replace(wish, run=_to_a_known_end(_in_its_workspace(wanted, workspaces), dispatch.git_base_url)),
            terms,
            partial(_accepted, identifiers=identifiers),
            runs=runs,
            accounts=accounts,
            secrets=secrets,
            api_keys=api_keys,
            full_tenants=full_tenants,
            clock=clock,
        )
    except RunExistsAlready:
        return Dispatched(_replay(caller, dispatch, runs), is_replay=True)
    except (CallerUnknown, TenantSuspended):
        raise
    except Refusal:
        # What was admitted once is answered so again, whatever has been used up or forbidden since.
        if find_valid_lock(caller.tenant_id, dispatch.idempotency_key, runs=runs, clock=clock) is None:
            raise
        prove_key(caller.key, api_keys=api_keys, clock=clock)
        return Dispatched(_replay(caller, dispatch, runs), is_replay=True)
    try:
        start_execution(run, executions=executions, signing_key=signing_key)
    except OutpostError:
        logger.warning("the execution did not start; the sweep will start it", extra={"run_id": run.run_id})
    return Dispatched(run, is_replay=False)


def _in_its_workspace(run: Run, workspaces: Workspaces) -> Run:
    """The run with the repository of the workspace that it is to have. Raises InputInvalid."""
    if run.workspace is None or run.workspace.is_new:
        return run
    found = workspaces.get(run.tenant_id, run.workspace.workspace_id)
    if found is None:
        raise InputInvalid((FieldError("workspaceId", "must name a workspace of the tenant's"),))
    given = (("repo", run.repo, found.repo), ("branch", run.branch, found.branch))
    wrong = [
        FieldError(name, f"is that of the workspace, {kept or 'none'}: leave it out")
        for name, asked, kept in given
        if asked is not None and asked != kept
    ]
    if run.promote is not None and found.repo is None:
        wrong.append(FieldError("promote", "needs a repo, and the workspace has none"))
    if wrong:
        raise InputInvalid(tuple(wrong))
    return replace(run, repo=found.repo, branch=found.branch)


def _to_a_known_end(run: Run, git_base_url: str) -> Run:
    """The run, whose work can go where it is to be promoted. Raises InputInvalid."""
    if run.promote is None or run.repo is None:
        return run
    if not is_on_host(run.repo, git_base_url):
        raise InputInvalid((FieldError("promote", "needs a repo on the deployment's own git host"),))
    if run.promote.branch is not None and run.promote.branch == run.branch:
        raise InputInvalid((FieldError("promote.branch", "must be another than the one that the work is for"),))
    return run


def _workspace_use(dispatch: Dispatch, at: datetime, identifiers: Identifiers) -> WorkspaceUse | None:
    if dispatch.workspace_id is not None:
        return WorkspaceUse(dispatch.workspace_id)
    return WorkspaceUse(identifiers.new(at), is_new=True) if dispatch.is_persistent else None


def _require_secrets(tenant_id: str, names: Sequence[str], secrets: TenantSecrets) -> None:
    """Refuse names that the tenant has no secret of. Raises InputInvalid."""
    if not names:
        return
    page = secrets.page(tenant_id, after_name=None, limit=MOST_SECRETS)
    known = {secret.name for secret in page.secrets if secret.kind is SecretKind.ENVIRONMENT}
    wrong = [
        FieldError(f"secrets.{place}", f"must name a secret of the tenant's for the environment; {name} is none")
        for place, name in enumerate(names)
        if name not in known
    ]
    if wrong:
        raise InputInvalid(tuple(wrong))


def _accepted(run: Run, *, identifiers: Identifiers) -> Event:
    details = {"agent": run.agent, "modelId": run.model_id, "keyId": run.created_by, "status": str(run.status)}
    event_id = identifiers.new(run.created_at)
    return Event(event_id, run.tenant_id, EventType.RUN_ACCEPTED, run.created_at, run.run_id, details, run.events)


def _new_run(caller: Caller, dispatch: Dispatch, workspace: WorkspaceUse | None, *, run_id: str, at: datetime) -> Run:
    in_bucket = len(dispatch.task.encode()) > INLINE_TASK_BYTES
    return Run(
        tenant_id=caller.tenant_id,
        run_id=run_id,
        status=RunStatus.PENDING,
        agent=dispatch.agent,
        model_id=dispatch.model_id,
        task=dispatch.task[:PREVIEW_CHARACTERS] if in_bucket else dispatch.task,
        task_in_bucket=in_bucket,
        timeout_seconds=dispatch.timeout_seconds,
        created_at=at,
        status_since=at,
        check_at=at + timedelta(seconds=CHECK_SECONDS),
        created_by=caller.key_id,
        api_url=dispatch.api_url,
        events=1,
        size=dispatch.size,
        budget=dispatch.budget,
        context=dispatch.context,
        secrets=dispatch.secrets,
        repo=dispatch.repo,
        branch=dispatch.branch,
        tags=dispatch.tags,
        requested_by=dispatch.requested_by,
        origin=dispatch.origin,
        batch_id=dispatch.batch_id,
        workspace=workspace,
        check=dispatch.check,
        promote=dispatch.promote,
        priority=dispatch.priority,
        queue_timeout_seconds=dispatch.queue_timeout_seconds,
    )


def _lock(run: Run, dispatch: Dispatch) -> IdempotencyLock | None:
    if dispatch.idempotency_key is None:
        return None
    expires_at = run.created_at + timedelta(hours=IDEMPOTENCY_HOURS)
    return IdempotencyLock(dispatch.idempotency_key, dispatch.body_sha256, run.run_id, expires_at)


def _replay(caller: Caller, dispatch: Dispatch, runs: Runs) -> Run:
    return replay(caller.tenant_id, dispatch.idempotency_key, dispatch.body_sha256, runs=runs)
