"""Admits a new run: decides upon what is known of its tenant, and lets one transaction prove it.

known plan ──► allowed? ──► one transaction ──► recorded
    ▲              │ no, and the plan was a copy     │ something was otherwise
    └── read ◄─────┘                                 │
    └──────────────── what was found ◄───────────────┘
"""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, replace
from datetime import datetime

from outpost.domain.admission import Form, Usage, allowances, find_budget, form_for, require_queue, reserve
from outpost.domain.agents import AGENTS, Agent
from outpost.domain.api_key import Caller
from outpost.domain.deployment import BreakerState, Deployment
from outpost.domain.errors import (
    AgentUnavailable,
    CallerUnknown,
    KillSwitchOn,
    PolicyDenied,
    Refusal,
    TenantSuspended,
    Unavailable,
)
from outpost.domain.event import Event
from outpost.domain.plan import Plan
from outpost.domain.run import Run, RunStatus
from outpost.domain.tenant import Tenant, TenantStatus
from outpost.domain.workspace import MEBIBYTE
from outpost.ports import (
    Accounts,
    Admission,
    ApiKeys,
    Clock,
    IdempotencyLock,
    NotAdmitted,
    RunExistsAlready,
    Runs,
    TenantSecrets,
    Terms,
)

ATTEMPTS = 8


@dataclass(frozen=True)
class Wish:
    """A run to be recorded as soon as it is known how, and what it brings along."""

    caller: Caller
    run: Run
    lock: IdempotencyLock | None
    git_base_url: str


@dataclass(frozen=True)
class _Knowledge:
    """What is known so far: the plan, whether it is a copy that may be old, and the form."""

    terms: Terms
    is_copy: bool
    form: Form = Form.LAUNCH


def admit_run(
    wish: Wish,
    terms: Terms,
    event_of: Callable[[Run], Event],
    *,
    runs: Runs,
    accounts: Accounts,
    secrets: TenantSecrets,
    api_keys: ApiKeys,
    full_tenants: MutableMapping[str, Form],
    clock: Clock,
) -> Run:
    """The run as it was recorded, PENDING or QUEUED.

    `full_tenants` remembers, for as long as the process lives, how the last run of a tenant had to wait: the next one
    most likely has to as well, and a right guess saves a call.

    Raises RunExistsAlready, CallerUnknown, TenantSuspended, KillSwitchOn, PlanEnded, PolicyDenied, AgentUnavailable,
    QuotaExceeded (BudgetExceeded, QueueFull), WorkspaceInUse, WorkspaceNotFound, Unavailable.
    """
    tenant_id = wish.run.tenant_id
    known = _Knowledge(terms, is_copy=True, form=full_tenants.get(tenant_id, Form.LAUNCH))
    for _ in range(ATTEMPTS):
        now = clock.now()
        try:
            run, admission = _decide(wish, known, accounts, secrets, now)
        except Refusal:
            if not known.is_copy:
                raise
            known = _Knowledge(_read_terms(wish, accounts), is_copy=False, form=known.form)
            continue
        try:
            runs.create(run, event_of(run), admission)
        except NotAdmitted as found:
            if found.key_is_invalid:
                api_keys.forget(admission.key_hash)
            known = _learn(wish, known, admission, found)
            continue
        full_tenants.pop(tenant_id, None)
        if run.is_queued:
            full_tenants[tenant_id] = admission.form
        return run
    raise Unavailable("the tenant kept changing")


def _decide(
    wish: Wish, known: _Knowledge, accounts: Accounts, secrets: TenantSecrets, now: datetime
) -> tuple[Run, Admission]:
    plan, key, agent = known.terms.plan, wish.caller.key, AGENTS[wish.run.agent]
    key.restrictions.require_allowed(agent.name, wish.run.repo, git_base_url=wish.git_base_url)
    plan.require_running(now)
    _require_own_key(wish.run.tenant_id, agent, plan, secrets)
    plan.require_allowed(agent, wish.run.repo, wish.run.timeout_seconds, wish.run.size, git_base_url=wish.git_base_url)
    budget = find_budget(wish.run, agent, plan, key)
    workspace = wish.run.workspace and replace(
        wish.run.workspace, keep_days=plan.workspace_days, most_bytes=plan.workspace_mb * MEBIBYTE
    )
    wanted = replace(wish.run, budget=budget, own_secrets_only=plan.own_secrets_required, workspace=workspace)
    admission = Admission(
        key_hash=key.key_hash,
        plan_revision=known.terms.plan_revision,
        form=known.form,
        asked=reserve(wanted, plan, key, now),
        allowances=allowances(plan, key, now),
        lock=wish.lock,
        most_workspaces=plan.workspaces,
    )
    _require_possible(wish.run.tenant_id, admission, accounts)
    status = RunStatus.PENDING if known.form is Form.LAUNCH else RunStatus.QUEUED
    has_rules = plan.has_repository_rules or key.restrictions.repositories is not None
    run = replace(wanted, status=status, reservation=admission.asked, repo_may_redirect=not has_rules)
    return run, admission


def _require_own_key(tenant_id: str, agent: Agent, plan: Plan, secrets: TenantSecrets) -> None:
    """Where the plan asks for keys of the tenant's own, refuse an agent for whose provider it has none."""
    if plan.own_secrets_required and agent.provider is not None and secrets.get(tenant_id, agent.provider) is None:
        raise PolicyDenied("agent", f"the plan requires a key of the tenant's own for {agent.provider}")


def _require_possible(tenant_id: str, admission: Admission, accounts: Accounts) -> None:
    """Refuse what would not fit into a limit of which nothing was used."""
    for allowance in admission.allowances:
        if allowance.refusal(Usage(), admission.asked) is not None:
            refusal = allowance.refusal(accounts.usage(tenant_id, allowance), admission.asked)
            if refusal is not None:
                raise refusal


def _read_terms(wish: Wish, accounts: Accounts) -> Terms:
    tenant = accounts.get(wish.run.tenant_id)
    if tenant is None or tenant.status is not TenantStatus.ACTIVE:
        raise TenantSuspended
    return Terms(tenant.plan, tenant.plan_revision)


def _learn(wish: Wish, known: _Knowledge, admission: Admission, found: NotAdmitted) -> _Knowledge:
    """What is known now, if there is another way; what refuses the run is raised, the strongest reason first."""
    _require_open(found)
    if found.workspace is not None and found.tenant is None:
        raise found.workspace
    for place, used in found.usages.items():
        refusal = admission.allowances[place].refusal(used, admission.asked)
        if refusal is not None and found.tenant is None:
            raise refusal
    if found.deployment is not None:
        _require_launches(wish.run, found.deployment)
    form = _form(known.form, found.tenant, found.deployment)
    if found.tenant is None:
        return replace(known, form=form)
    return _Knowledge(Terms(found.tenant.plan, found.tenant.plan_revision), is_copy=False, form=form)


def _require_open(found: NotAdmitted) -> None:
    """Raise the strongest of the reasons that no other way could get around."""
    if found.key_is_invalid:
        raise CallerUnknown("revoked meanwhile")
    if found.tenant is not None and found.tenant.status is not TenantStatus.ACTIVE:
        raise TenantSuspended
    if found.lock_is_taken:
        raise RunExistsAlready
    if found.deployment is not None and found.deployment.kill_switch is not None:
        raise KillSwitchOn(None)
    if found.tenant is not None and found.tenant.kill_switch is not None:
        raise KillSwitchOn(found.tenant.kill_switch.reason)


def _require_launches(run: Run, deployment: Deployment) -> None:
    """Refuse what the transaction refused, by the same moment."""
    breaker = deployment.breaker(run.agent)
    if breaker.state(run.created_at) is BreakerState.OPEN:
        raise AgentUnavailable(run.agent, breaker.retry_after_seconds(run.created_at))


def _form(tried: Form, tenant: Tenant | None, deployment: Deployment | None) -> Form:
    """How the run may be admitted, as things are now. Raises QueueFull."""
    if tenant is not None and deployment is None and tried is Form.BEHIND_OTHERS:
        require_queue(tenant, tried)
    form = form_for(tenant) if tenant is not None else tried
    if deployment is None or form is Form.BEHIND_OWN:
        return form
    return Form.LAUNCH if deployment.has_room else Form.BEHIND_OTHERS
