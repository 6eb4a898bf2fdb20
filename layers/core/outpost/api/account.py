"""From what callers send about their account to its use cases."""

from datetime import timedelta

from outpost.api.account_bodies import CreateKeyBody, KillSwitchBody
from outpost.api.account_views import kill_switch_view
from outpost.api.application import Reply
from outpost.domain.api_key import Caller, Restrictions, Scope
from outpost.domain.money import microusd
from outpost.use_cases.change_tenant import TenantChanger
from outpost.use_cases.create_key import KeyWish
from outpost.use_cases.stop_tenant import stop_tenant
from outpost.wiring import Wiring


def key_wish(body: CreateKeyBody) -> KeyWish:
    """The key that the body asks for."""
    seconds = body.expires_in_seconds
    return KeyWish(
        name=body.name,
        scopes=frozenset(Scope(name) for name in body.scopes),
        lifetime=None if seconds is None else timedelta(seconds=seconds),
        restrictions=Restrictions(
            agents=None if body.agents is None else tuple(body.agents),
            repositories=None if body.repositories is None else tuple(body.repositories),
            monthly_budget_microusd=_microusd(body.monthly_budget_usd),
            run_budget_microusd=_microusd(body.run_budget_usd),
            run_tokens=body.run_tokens,
        ),
    )


def tenant_changer(caller: Caller, wiring: Wiring) -> TenantChanger:
    """Changes of the tenant by the caller's hand."""
    return TenantChanger(caller.key_id, wiring.accounts, wiring.clock, wiring.identifiers)


def kill_switch_reply(caller: Caller, body: KillSwitchBody, wiring: Wiring) -> Reply:
    """The switch, on, and how many runs were asked to stop."""
    changer = tenant_changer(caller, wiring)
    tenant = changer.set_kill_switch(caller.tenant_id, body.reason, stop_running=body.stop_running)
    stopped = 0
    if body.stop_running:
        stopped = stop_tenant(
            caller.tenant_id,
            runs=wiring.runs,
            executions=wiring.executions,
            clock=wiring.clock,
            identifiers=wiring.identifiers,
        )
    return Reply({**kill_switch_view(tenant.kill_switch), "stopped": stopped})


def _microusd(amount: float | None) -> int | None:
    return None if amount is None else microusd(amount)
