"""Admission: whether a run may begin at once, has to wait, or is refused; and what of each limit it takes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outpost.domain.agents import Agent
from outpost.domain.api_key import ApiKey
from outpost.domain.errors import BudgetExceeded, Limit, QueueFull, QuotaExceeded
from outpost.domain.money import PRICES, usd
from outpost.domain.plan import Period, Plan, month_of
from outpost.domain.run import Reservation
from outpost.domain.tenant import Tenant

SECONDS_PER_MINUTE = 60


class Form(StrEnum):
    """How a run is admitted, which is also what must hold in the moment of its record.

    LAUNCH: the tenant has room and nobody of it waits, and the deployment has room. BEHIND_OWN: it waits for runs of
    its own tenant. BEHIND_OTHERS: the deployment is full.
    """

    LAUNCH = "launch"
    BEHIND_OWN = "behind-own"
    BEHIND_OTHERS = "behind-others"


@dataclass(frozen=True)
class Usage:
    """What was counted in one period, what is reserved included."""

    dispatches: int = 0
    agent_seconds: int = 0
    cost_microusd: int = 0


@dataclass(frozen=True)
class Allowance:
    """The limits of one counter in one period; `key_id` is None for the tenant's own. None is no limit."""

    period: Period
    key_id: str | None = None
    dispatches: int | None = None
    agent_seconds: int | None = None
    cost_microusd: int | None = None

    def refusal(self, used: Usage, asked: Reservation) -> QuotaExceeded | None:
        """The limit that the run would break, if there is one."""
        resets_at = self.period.resets_at
        if self.dispatches is not None and used.dispatches >= self.dispatches:
            return QuotaExceeded(Limit("dispatches", self.dispatches, used.dispatches, resets_at))
        if self.agent_seconds is not None and used.agent_seconds + asked.seconds > self.agent_seconds:
            limit, taken = (round(n / SECONDS_PER_MINUTE, 2) for n in (self.agent_seconds, used.agent_seconds))
            return QuotaExceeded(Limit("agentMinutes", limit, taken, resets_at))
        if self.cost_microusd is not None and used.cost_microusd + asked.cost_microusd > self.cost_microusd:
            name = "monthlyBudgetUsd" if self.key_id is None else "keyMonthlyBudgetUsd"
            return BudgetExceeded(Limit(name, usd(self.cost_microusd), usd(used.cost_microusd), resets_at))
        return None


def reserve(agent: Agent, timeout_seconds: int, plan: Plan, key: ApiKey, at: datetime) -> Reservation:
    """What a run takes of the limits until it ends: all of its time, and the price of its compute for that time."""
    cost = PRICES.cost_microusd(agent.cpu_units, agent.memory_mb, timeout_seconds)
    has_budget = key.restrictions.monthly_budget_microusd is not None
    if not has_budget:
        return Reservation(plan.period(at).name, timeout_seconds, cost)
    return Reservation(plan.period(at).name, timeout_seconds, cost, key.budget_key_id, month_of(at).name)


def allowance_of(plan: Plan, at: datetime) -> Allowance:
    """The counter of a tenant, with the limits of its plan."""
    minutes = plan.agent_minutes
    return Allowance(
        plan.period(at),
        dispatches=plan.dispatches,
        agent_seconds=None if minutes is None else minutes * SECONDS_PER_MINUTE,
        cost_microusd=plan.monthly_budget_microusd,
    )


def allowances(plan: Plan, key: ApiKey, at: datetime) -> tuple[Allowance, ...]:
    """The counters that a dispatch counts against: the tenant's, and the key's own where it has a budget."""
    of_tenant = allowance_of(plan, at)
    budget = key.restrictions.monthly_budget_microusd
    if budget is None:
        return (of_tenant,)
    return (of_tenant, Allowance(month_of(at), key_id=key.budget_key_id, cost_microusd=budget))


def form_for(tenant: Tenant) -> Form:
    """How the tenant's next run is admitted, as far as the tenant itself goes. Raises QueueFull."""
    if tenant.has_room and not tenant.queued_runs:
        return Form.LAUNCH
    return require_queue(tenant, Form.BEHIND_OWN)


def require_queue(tenant: Tenant, form: Form) -> Form:
    """The form, if there is a place in the tenant's queue. Raises QueueFull."""
    if tenant.queued_runs >= tenant.plan.queued_runs:
        raise QueueFull(Limit("queuedRuns", tenant.plan.queued_runs, tenant.queued_runs))
    return form
