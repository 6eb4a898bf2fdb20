"""The one way to change a tenant: read, decide, write if nothing changed meanwhile, else decide again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from outpost.domain.errors import FieldError, InputInvalid, TenantNotFound, Unavailable
from outpost.domain.event import Event, EventType
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.plan import Plan, PlanKind
from outpost.domain.tenant import Tenant, TenantStatus
from outpost.ports import Accounts, Clock, Identifiers

ATTEMPTS = 8


@dataclass(frozen=True)
class TenantChanger:
    """The ports that a change of a tenant needs, and by whose hand it is made (a key's id, or `operator`)."""

    by: str
    accounts: Accounts
    clock: Clock
    identifiers: Identifiers

    def suspend(self, tenant_id: str, reason: str) -> Tenant:
        """The tenant, no longer served. Raises TenantNotFound."""
        return self._change(
            tenant_id,
            EventType.TENANT_SUSPENDED,
            lambda tenant: replace(tenant, status=TenantStatus.SUSPENDED, suspended_reason=reason),
        )

    def resume(self, tenant_id: str) -> Tenant:
        """The tenant, served again. Raises TenantNotFound."""
        return self._change(
            tenant_id,
            EventType.TENANT_RESUMED,
            lambda tenant: replace(tenant, status=TenantStatus.ACTIVE, suspended_reason=None),
        )

    def change_plan(self, tenant_id: str, change: Callable[[Plan], Plan]) -> Tenant:
        """The tenant with another plan. Raises TenantNotFound."""
        tenant = self._change(tenant_id, EventType.PLAN_CHANGED, lambda tenant: _with_plan(tenant, change(tenant.plan)))
        # Also where nothing changed: an earlier change may have ended before the copies had followed.
        self.accounts.refresh_copies(tenant)
        return tenant

    def extend_trial(self, tenant_id: str, days: int) -> Tenant:
        """The tenant with so many more days of trial, from its end or from now; one without an end keeps none.

        Raises TenantNotFound, InputInvalid.
        """

        def extended(plan: Plan) -> Plan:
            if plan.kind is not PlanKind.TRIAL:
                raise InputInvalid((FieldError("tenantId", f"has the plan {plan.kind}, which is no trial"),))
            if plan.ends_at is None:
                return plan
            return replace(plan, ends_at=max(plan.ends_at, self.clock.now()) + timedelta(days=days))

        return self.change_plan(tenant_id, extended)

    def set_kill_switch(self, tenant_id: str, reason: str, *, stop_running: bool) -> Tenant:
        """The tenant with its switch on; a switch that was on is replaced. Raises TenantNotFound."""
        switch = KillSwitch(reason, self.clock.now(), self.by, stop_running)
        return self._change(
            tenant_id, EventType.KILL_SWITCH_SET, lambda tenant: replace(tenant, kill_switch=switch), reason=reason
        )

    def lift_kill_switch(self, tenant_id: str) -> Tenant:
        """The tenant with its switch off. Raises TenantNotFound."""
        return self._change(tenant_id, EventType.KILL_SWITCH_LIFTED, lambda tenant: replace(tenant, kill_switch=None))

    def _change(self, tenant_id: str, kind: EventType, decide: Callable[[Tenant], Tenant], **details: str) -> Tenant:
        for _ in range(ATTEMPTS):
            before = self.accounts.get(tenant_id)
            if before is None:
                raise TenantNotFound(tenant_id)
            after = decide(before)
            if after == before:
                return before
            now = self.clock.now()
            event = Event(self.identifiers.new(now), tenant_id, kind, now, details={"by": self.by, **details})
            if self.accounts.change(before, after, event):
                return after
        raise Unavailable("the tenant kept changing")


def _with_plan(tenant: Tenant, plan: Plan) -> Tenant:
    return tenant if plan == tenant.plan else replace(tenant, plan=plan, plan_revision=tenant.plan_revision + 1)
