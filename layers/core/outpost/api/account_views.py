"""What callers and operators see of keys, tenants, plans and switches; a secret only when it is made."""

from datetime import datetime

from outpost.api.times import time_text
from outpost.api.views import View
from outpost.domain.admission import SECONDS_PER_MINUTE, Usage
from outpost.domain.api_key import ApiKey, Caller
from outpost.domain.deployment import Breaker, Deployment
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.money import usd
from outpost.domain.plan import Plan
from outpost.domain.tenant import Tenant
from outpost.use_cases.issue_token import VALIDITY, AccessToken


def key_view(key: ApiKey) -> View:
    """A key, without its secret."""
    limits = key.restrictions
    return {
        "keyId": key.key_id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "status": key.status,
        "createdAt": time_text(key.created_at),
        "createdBy": key.created_by,
        "lastUsedAt": time_text(key.last_used_at),
        "expiresAt": time_text(key.expires_at),
        "replacedBy": key.replaced_by,
        "agents": _list(limits.agents),
        "repositories": _list(limits.repositories),
        "monthlyBudgetUsd": _usd(limits.monthly_budget_microusd),
        "runBudgetUsd": _usd(limits.run_budget_microusd),
        "runTokens": limits.run_tokens,
    }


def token_view(token: AccessToken) -> View:
    """A token in the moment of its making."""
    return {
        "token": token.token,
        "tokenType": "Bearer",
        "expiresAt": time_text(token.expires_at),
        "expiresInSeconds": int(VALIDITY.total_seconds()),
        "scopes": sorted(token.scopes),
    }


def whoami_view(caller: Caller, tenant: Tenant) -> View:
    """Who calls, with what, and under which plan."""
    is_token = caller.token_expires_at is not None
    return {
        "tenant": {"tenantId": tenant.tenant_id, "name": tenant.name, "status": tenant.status},
        "credential": "token" if is_token else "key",
        "key": key_view(caller.key),
        "scopes": sorted(caller.scopes),
        "expiresAt": time_text(caller.token_expires_at if is_token else caller.key.expires_at),
        "plan": plan_view(tenant.plan),
    }


def plan_view(plan: Plan) -> View:
    """Every limit; null where there is none."""
    return {
        "kind": plan.kind,
        "startedAt": time_text(plan.started_at),
        "endsAt": time_text(plan.ends_at),
        "concurrentRuns": plan.concurrent_runs,
        "queuedRuns": plan.queued_runs,
        "longestTimeoutSeconds": plan.longest_timeout_seconds,
        "dispatches": plan.dispatches,
        "agentMinutes": plan.agent_minutes,
        "workspaces": plan.workspaces,
        "workspaceDays": plan.workspace_days,
        "workspaceMb": plan.workspace_mb,
        "monthlyBudgetUsd": _usd(plan.monthly_budget_microusd),
        "runBudgetUsd": _usd(plan.run_budget_microusd),
        "runTokens": plan.run_tokens,
        "largestCpuUnits": plan.largest_cpu_units,
        "largestMemoryMb": plan.largest_memory_mb,
        "agents": _list(plan.agents),
        "repositories": {"allow": _list(plan.allowed_repositories), "deny": list(plan.denied_repositories)},
        "ownSecretsRequired": plan.own_secrets_required,
    }


def tenant_view(tenant: Tenant, used: Usage, now: datetime) -> View:
    """A tenant as its operator sees it."""
    period = tenant.plan.period(now)
    return {
        "tenantId": tenant.tenant_id,
        "name": tenant.name,
        "status": tenant.status,
        "suspendedReason": tenant.suspended_reason,
        "createdAt": time_text(tenant.created_at),
        "plan": plan_view(tenant.plan),
        "activeRuns": tenant.active_runs,
        "queuedRuns": tenant.queued_runs,
        "killSwitch": kill_switch_view(tenant.kill_switch),
        "usage": {
            "period": period.name,
            "resetsAt": time_text(period.resets_at),
            "dispatches": used.dispatches,
            "agentMinutes": round(used.agent_seconds / SECONDS_PER_MINUTE, 2),
            "costUsd": usd(used.cost_microusd),
        },
    }


def kill_switch_view(switch: KillSwitch | None) -> View:
    """A switch, on or off."""
    if switch is None:
        return {"on": False, "reason": None, "setAt": None, "setBy": None, "stopRunning": False}
    return {
        "on": True,
        "reason": switch.reason,
        "setAt": time_text(switch.set_at),
        "setBy": switch.set_by,
        "stopRunning": switch.stop_running,
    }


def deployment_view(deployment: Deployment, agents: list[str], now: datetime) -> View:
    """What all tenants share, as its operator sees it."""
    return {
        "activeRuns": deployment.active_runs,
        "limit": deployment.most_runs,
        "killSwitch": kill_switch_view(deployment.kill_switch),
        "breakers": [{"agent": agent, **breaker_view(deployment.breaker(agent), now)} for agent in agents],
    }


def breaker_view(breaker: Breaker, now: datetime) -> View:
    """An agent's breaker."""
    return {
        "state": breaker.state(now),
        "failures": breaker.failures,
        "retryAfterSeconds": breaker.retry_after_seconds(now),
    }


def _list(texts: tuple[str, ...] | None) -> list[str] | None:
    return None if texts is None else list(texts)


def _usd(microusd: int | None) -> float | None:
    return None if microusd is None else usd(microusd)
