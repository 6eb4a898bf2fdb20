"""The operations of the operate function, each checked like any other input."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field

from outpost.api.account_bodies import KillSwitchBody
from outpost.api.account_views import deployment_view, key_view, tenant_view
from outpost.api.errors import answer_for
from outpost.api.parsing import Body, parse_json
from outpost.api.plan_body import PlanBody, default_plan
from outpost.api.views import View
from outpost.domain.admission import allowance_of
from outpost.domain.agents import AGENTS
from outpost.domain.errors import FieldError, InputInvalid, OutpostError, TenantNotFound
from outpost.domain.event import Event, EventType
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.plan import PlanKind
from outpost.domain.tenant import Tenant
from outpost.use_cases.change_tenant import TenantChanger
from outpost.use_cases.create_key import OPERATOR, recover_key
from outpost.use_cases.create_tenant import create_tenant
from outpost.wiring import Wiring

logger = logging.getLogger(__name__)

# Whose events are no tenant's: no tenant can be called so.
DEPLOYMENT = "DEPLOYMENT"

Name = Annotated[str, Field(min_length=1, max_length=128)]
Reason = Annotated[str, Field(min_length=1, max_length=1_000)]


class NothingBody(Body):
    """An operation without a field of its own."""

    operation: str


class TenantBody(NothingBody):
    """An operation on one tenant."""

    tenant_id: str


class CreateTenantBody(TenantBody):
    """create-tenant."""

    name: Name
    plan: PlanBody = Field(default_factory=PlanBody)


class ListTenantsBody(NothingBody):
    """list-tenants."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: str | None = None


class SuspendBody(TenantBody):
    """suspend-tenant."""

    reason: Reason


class SetPlanBody(TenantBody):
    """set-plan."""

    plan: PlanBody


class ExtendTrialBody(TenantBody):
    """extend-trial."""

    days: Annotated[int, Field(ge=1, le=365)]


class CreateKeyBody(TenantBody):
    """create-key."""

    name: Name = "recovered key"


class LiftBody(NothingBody):
    """lift-kill-switch: of one tenant, or without one of the deployment."""

    tenant_id: str | None = None


class SwitchBody(KillSwitchBody, LiftBody):
    """set-kill-switch: of one tenant, or without one of the deployment."""


def operate(event: dict[str, Any], wiring: Wiring) -> dict[str, object]:
    """The answer to an operation: its data, or why it is refused and what to do."""
    try:
        name = str(event.get("operation", ""))
        if name not in OPERATIONS:
            raise InputInvalid((FieldError("operation", f"must be one of {', '.join(OPERATIONS)}"),))
        model, do = OPERATIONS[name]
        return {"success": True, "data": do(parse_json(model, json.dumps(event)), wiring)}
    except OutpostError as error:
        answer = answer_for(error, wiring.clock.now())
        logger.info("refused", extra={"code": answer.code})
        refusal: dict[str, object] = {
            "code": answer.code,
            "message": answer.message,
            "remedy": answer.remedy,
            "retryable": answer.retryable,
        }
        return {"success": False, "error": refusal if answer.details is None else refusal | {"details": answer.details}}


def _create_tenant(body: CreateTenantBody, wiring: Wiring) -> View:
    now = wiring.clock.now()
    plan = default_plan(body.plan.kind or PlanKind.STANDARD, wiring.settings, now)
    created = create_tenant(
        body.tenant_id,
        body.name,
        body.plan.apply(plan, wiring.settings, now),
        accounts=wiring.accounts,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    return {
        "tenant": _view(created.tenant, wiring),
        "apiKey": created.secret,
        "key": key_view(created.key),
    }


def _show_tenant(body: TenantBody, wiring: Wiring) -> View:
    tenant = wiring.accounts.get(body.tenant_id)
    if tenant is None:
        raise TenantNotFound(body.tenant_id)
    return {"tenant": _view(tenant, wiring)}


def _list_tenants(body: ListTenantsBody, wiring: Wiring) -> View:
    tenants, last = wiring.accounts.page(after_tenant_id=body.cursor, limit=body.limit)
    return {"tenants": [_view(tenant, wiring) for tenant in tenants], "nextCursor": last}


def _suspend_tenant(body: SuspendBody, wiring: Wiring) -> View:
    return {"tenant": _view(_changer(wiring).suspend(body.tenant_id, body.reason), wiring)}


def _resume_tenant(body: TenantBody, wiring: Wiring) -> View:
    return {"tenant": _view(_changer(wiring).resume(body.tenant_id), wiring)}


def _set_plan(body: SetPlanBody, wiring: Wiring) -> View:
    now = wiring.clock.now()
    tenant = _changer(wiring).change_plan(body.tenant_id, lambda plan: body.plan.apply(plan, wiring.settings, now))
    return {"tenant": _view(tenant, wiring)}


def _extend_trial(body: ExtendTrialBody, wiring: Wiring) -> View:
    return {"tenant": _view(_changer(wiring).extend_trial(body.tenant_id, body.days), wiring)}


def _create_key(body: CreateKeyBody, wiring: Wiring) -> View:
    if wiring.accounts.get(body.tenant_id) is None:
        raise TenantNotFound(body.tenant_id)
    made = recover_key(
        body.tenant_id, body.name, keyring=wiring.keyring, clock=wiring.clock, identifiers=wiring.identifiers
    )
    return {"key": key_view(made.key), "apiKey": made.secret}


def _set_kill_switch(body: SwitchBody, wiring: Wiring) -> View:
    if body.tenant_id is not None:
        changer = _changer(wiring)
        tenant = changer.set_kill_switch(body.tenant_id, body.reason, stop_running=body.stop_running)
        return {"tenant": _view(tenant, wiring)}
    switch = KillSwitch(body.reason, wiring.clock.now(), OPERATOR, body.stop_running)
    return _switch_deployment(switch, EventType.KILL_SWITCH_SET, body, wiring)


def _lift_kill_switch(body: LiftBody, wiring: Wiring) -> View:
    if body.tenant_id is not None:
        return {"tenant": _view(_changer(wiring).lift_kill_switch(body.tenant_id), wiring)}
    return _switch_deployment(None, EventType.KILL_SWITCH_LIFTED, body, wiring)


def _switch_deployment(switch: KillSwitch | None, kind: EventType, body: NothingBody, wiring: Wiring) -> View:
    now = wiring.clock.now()
    details = {"by": OPERATOR, "reason": switch.reason if switch else ""}
    event = Event(wiring.identifiers.new(now), DEPLOYMENT, kind, now, details=details)
    wiring.deployments.set_kill_switch(switch, event)
    return _show_deployment(body, wiring)


def _show_deployment(body: NothingBody, wiring: Wiring) -> View:  # noqa: ARG001 every operation takes its body
    return {"deployment": deployment_view(wiring.deployments.get(), list(AGENTS), wiring.clock.now())}


def _view(tenant: Tenant, wiring: Wiring) -> View:
    now = wiring.clock.now()
    return tenant_view(tenant, wiring.accounts.usage(tenant.tenant_id, allowance_of(tenant.plan, now)), now)


def _changer(wiring: Wiring) -> TenantChanger:
    return TenantChanger(OPERATOR, wiring.accounts, wiring.clock, wiring.identifiers)


OPERATIONS: Mapping[str, tuple[type[Body], Callable[[Any, Wiring], View]]] = {
    "create-tenant": (CreateTenantBody, _create_tenant),
    "show-tenant": (TenantBody, _show_tenant),
    "list-tenants": (ListTenantsBody, _list_tenants),
    "suspend-tenant": (SuspendBody, _suspend_tenant),
    "resume-tenant": (TenantBody, _resume_tenant),
    "set-plan": (SetPlanBody, _set_plan),
    "extend-trial": (ExtendTrialBody, _extend_trial),
    "create-key": (CreateKeyBody, _create_key),
    "set-kill-switch": (SwitchBody, _set_kill_switch),
    "lift-kill-switch": (LiftBody, _lift_kill_switch),
    "show-deployment": (NothingBody, _show_deployment),
}
