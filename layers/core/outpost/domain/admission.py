"""Admission: whether a run may begin at once, has to wait, or is refused; and what of each limit it takes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outpost.domain.agents import Agent
from outpost.domain.api_key import ApiKey
from outpost.domain.errors import BudgetExceeded, Limit, PolicyDenied, QueueFull, QuotaExceeded
from outpost.domain.money import MICROUSD, price_compute, usd
from outpost.domain.plan import Period, Plan, month_of
from outpost.domain.run import Run
from outpost.domain.tenant import Tenant
from outpost.domain.usage import ModelBudget, Reservation

SECONDS_PER_MINUTE = 60
# What a run may use of models where a monthly budget holds and nothing else bounds the run.
RUN_BUDGET_MICROUSD = 10 * MICROUSD


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


def find_budget(run: Run, agent: Agent, plan: Plan, key: ApiKey) -> ModelBudget:
    """What the run may use of models: what it asked for, within what the plan and the key allow one run.

    Where a monthly budget holds, a run that asked for no amount gets no more than the month has: each run's amount is
    reserved whole, so that a run without a bound could not be admitted. Raises PolicyDenied.
    """
    if agent.provider is None:
        return ModelBudget()
    allowed = plan.run_budget.within(key.restrictions.run_budget)
    _require_within(run.budget, allowed)
    budget = run.budget.within(allowed)
    monthly = (plan.monthly_budget_microusd, key.restrictions.monthly_budget_microusd)
    most = min((amount for amount in monthly if amount is not None), default=None)
    if most is None or run.budget.max_cost_microusd is not None:
        return budget
    left = max(0, most - _compute_cost(run))
    return budget.within(ModelBudget(RUN_BUDGET_MICROUSD)).within(ModelBudget(left))


def _require_within(asked: ModelBudget, allowed: ModelBudget) -> None:
    cost, tokens = allowed.max_cost_microusd, allowed.max_tokens
    if cost is not None and asked.max_cost_microusd is not None and asked.max_cost_microusd > cost:
        raise PolicyDenied("budget.maxCostUsd", f"the plan or the key allows a run at most ${usd(cost):.2f}")
    if tokens is not None and asked.max_tokens is not None and asked.max_tokens > tokens:
        raise PolicyDenied("budget.maxTokens", f"the plan or the key allows a run at most {tokens} tokens")


def reserve(run: Run, plan: Plan, key: ApiKey, at: datetime) -> Reservation:
    """What a run takes of the limits until it ends: all of its time, the price of its compute, and its model budget."""
    cost = _compute_cost(run) + (run.budget.max_cost_microusd or 0)
    if key.restrictions.monthly_budget_microusd is None:
        return Reservation(plan.period(at).name, run.timeout_seconds, cost)
    return Reservation(plan.period(at).name, run.timeout_seconds, cost, key.budget_key_id, month_of(at).name)


def _compute_cost(run: Run) -> int:
    return price_compute(run.size, run.timeout_seconds)


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
