"""The writes that count: slots and places in the queue, of a tenant and of the deployment, and use in a period."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from outpost.adapters.dynamo_items import deployment_key, tenant_key, timestamp, to_item, usage_key
from outpost.adapters.dynamo_writes import Write
from outpost.domain.admission import Allowance
from outpost.domain.deployment import FAILURES_TO_OPEN, OPEN_FOR, BreakerNews
from outpost.domain.tenant import TenantStatus
from outpost.domain.usage import Reservation
from outpost.settings import Settings

TENANT_EXISTS = "attribute_exists(pk)"
TENANT_IS_ACTIVE = "#status = :active"
TENANT_IS_OPEN = "#status = :active AND attribute_not_exists(kill_switch)"
PLAN_UNCHANGED = "plan_revision = :plan_revision"
HAS_A_SLOT = "active_runs < #plan.concurrent_runs"
NOBODY_WAITS = "queued_runs = :zero"
HAS_TO_WAIT = "(active_runs >= #plan.concurrent_runs OR queued_runs > :zero)"
QUEUE_HAS_ROOM = "queued_runs < #plan.queued_runs"
DEPLOYMENT_IS_OPEN = "attribute_not_exists(kill_switch)"
DEPLOYMENT_HAS_A_SLOT = "(attribute_not_exists(active_runs) OR active_runs < :most_runs)"
DEPLOYMENT_IS_FULL = "active_runs >= :most_runs"
AGENT_MAY_LAUNCH = "(attribute_not_exists(#failures) OR #failures < :to_open OR #blocked_since <= :tried_before)"
DISPATCHES_LEFT = "(attribute_not_exists(dispatches) OR dispatches < :dispatches)"
TIME_LEFT = "(attribute_not_exists(agent_seconds) OR agent_seconds <= :most_seconds)"
MONEY_LEFT = "(attribute_not_exists(cost_microusd) OR cost_microusd <= :most_cost)"

_NEVER = datetime.fromtimestamp(0, UTC)

# What each condition speaks of, so that a write carries no name and no value that its expression does not use.
_NAMES = {"#status": "status", "#plan": "plan"}


def failures_of(agent: str) -> str:
    """The attribute that counts an agent's failures in a row."""
    return f"failures_{agent}"


def blocked_since_of(agent: str) -> str:
    """The attribute that holds an agent's last failure, or when a run was let through."""
    return f"blocked_since_{agent}"


class Counters:
    """Writes to the items that count."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def tenant(
        self,
        tenant_id: str,
        *,
        active: int = 0,
        queued: int = 0,
        conditions: tuple[str, ...] = (TENANT_EXISTS,),
        values: Mapping[str, object] | None = None,
        served_at: datetime | None = None,
    ) -> Write:
        """Take or free a tenant's slots and places in the queue."""
        expression = "ADD active_runs :active_change, queued_runs :queued_change, slot_changes :one"
        given: dict[str, object] = {":active_change": active, ":queued_change": queued, ":one": 1, **(values or {})}
        assignments = []
        if queued > 0:
            assignments.append("waiting = :waiting, served_at = if_not_exists(served_at, :never)")
            given |= {":waiting": "WAITING", ":never": timestamp(_NEVER)}
        if served_at is not None:
            assignments.append("served_at = :served_at")
            given[":served_at"] = timestamp(served_at)
        if assignments:
            expression += " SET " + ", ".join(assignments)
        return {"Update": self._update(tenant_key(tenant_id), expression, conditions, given)}

    def require_tenant_open(self, tenant_id: str) -> Write:
        """Check that the tenant may have work done."""
        return {"ConditionCheck": self._write(tenant_key(tenant_id), (TENANT_IS_OPEN,), {})}

    def require_tenant_active(self, tenant_id: str, plan_revision: int) -> Write:
        """Check that the tenant is not suspended, and has the plan of that revision."""
        conditions, values = (TENANT_IS_ACTIVE, PLAN_UNCHANGED), {":plan_revision": plan_revision}
        return {"ConditionCheck": self._write(tenant_key(tenant_id), conditions, values)}

    def take_launch(self, agent: str, at: datetime) -> Write:
        """Take a slot of the deployment for a launch, with the trial where the agent's breaker is half-open."""
        expression = "ADD active_runs :one, slot_changes :one SET #blocked_since = :now"
        conditions = (DEPLOYMENT_IS_OPEN, DEPLOYMENT_HAS_A_SLOT, AGENT_MAY_LAUNCH)
        values = {":one": 1, ":now": timestamp(at), ":tried_before": timestamp(at - OPEN_FOR)}
        return {"Update": self._update(deployment_key(), expression, conditions, values, agent)}

    def free_launch(self, active: int, agent: str, news: BreakerNews | None, at: datetime) -> Write:
        """Free slots of the deployment, as many as `active` is below zero; `news` counts for the agent's breaker."""
        expression = "ADD active_runs :active_change, slot_changes :one"
        values: dict[str, object] = {":active_change": active, ":one": 1}
        if news is BreakerNews.FAILED:
            expression += ", #failures :one SET #blocked_since = :now"
            values[":now"] = timestamp(at)
        if news is BreakerNews.WORKED:
            expression += " REMOVE #failures, #blocked_since"
        return {"Update": self._update(deployment_key(), expression, (), values, agent)}

    def require_deployment_open(self) -> Write:
        """Check the deployment's kill switch."""
        return {"ConditionCheck": self._write(deployment_key(), (DEPLOYMENT_IS_OPEN,), {})}

    def require_queueing(self, agent: str, at: datetime, *conditions: str) -> Write:
        """Check that a run of the agent may wait: what it waits for does not keep it from waiting."""
        values = {":tried_before": timestamp(at - OPEN_FOR)}
        every = (DEPLOYMENT_IS_OPEN, AGENT_MAY_LAUNCH, *conditions)
        return {"ConditionCheck": self._write(deployment_key(), every, values, agent)}

    def take_use(self, tenant_id: str, allowance: Allowance, asked: Reservation) -> Write:
        """Reserve use, within the limits of the allowance."""
        conditions = []
        values: dict[str, object] = {":one": 1, ":seconds": asked.seconds, ":cost": asked.cost_microusd}
        if allowance.dispatches is not None:
            conditions.append(DISPATCHES_LEFT)
            values[":dispatches"] = allowance.dispatches
        if allowance.agent_seconds is not None:
            conditions.append(TIME_LEFT)
            values[":most_seconds"] = allowance.agent_seconds - asked.seconds
        if allowance.cost_microusd is not None:
            conditions.append(MONEY_LEFT)
            values[":most_cost"] = allowance.cost_microusd - asked.cost_microusd
        key = usage_key(tenant_id, allowance.period.name, allowance.key_id)
        expression = "ADD dispatches :one, agent_seconds :seconds, cost_microusd :cost"
        return {"Update": self._update(key, expression, tuple(conditions), values)}

    def settle_use(self, tenant_id: str, period: str, key_id: str | None, *, seconds: int, cost_microusd: int) -> Write:
        """Correct reserved use to what was used; both are changes, and usually negative."""
        values: dict[str, object] = {":seconds": seconds, ":cost": cost_microusd}
        key = usage_key(tenant_id, period, key_id)
        return {"Update": self._update(key, "ADD agent_seconds :seconds, cost_microusd :cost", (), values)}

    def _update(
        self,
        key: dict[str, Any],
        expression: str,
        conditions: tuple[str, ...],
        values: Mapping[str, object],
        agent: str = "",
    ) -> Write:
        write = self._write(key, conditions, values, agent, expression)
        return {**write, "UpdateExpression": expression}

    def _write(
        self,
        key: dict[str, Any],
        conditions: tuple[str, ...],
        values: Mapping[str, object],
        agent: str = "",
        expression: str = "",
    ) -> Write:
        text = " AND ".join(conditions)
        known: dict[str, object] = {
            ":active": TenantStatus.ACTIVE,
            ":zero": 0,
            ":most_runs": self._settings.deployment_runs,
            ":to_open": FAILURES_TO_OPEN,
        }
        names = {**_NAMES, "#failures": failures_of(agent), "#blocked_since": blocked_since_of(agent)}
        used_names = {name: real for name, real in names.items() if name in f"{text} {expression}"}
        used_values = {name: value for name, value in known.items() if _uses(text, name)} | dict(values)
        write: Write = {"TableName": self._settings.tenants_table, "Key": key}
        if text:
            write |= {"ConditionExpression": text, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        if used_names:
            write["ExpressionAttributeNames"] = used_names
        if used_values:
            write["ExpressionAttributeValues"] = to_item(used_values)
        return write


def _uses(text: str, name: str) -> bool:
    return name in text.replace("(", " ").replace(")", " ").split()
