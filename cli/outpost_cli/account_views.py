"""How keys, secrets, plans, tenants and switches look to a person. Every text of theirs is made safe first."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from outpost_cli.amounts import format_money
from outpost_cli.durations import format_duration, format_local_moment
from outpost_cli.models.account import Identity, Key
from outpost_cli.models.kill_switch import KillSwitch
from outpost_cli.models.plan import Plan
from outpost_cli.models.secret import Secret
from outpost_cli.models.tenant import Deployment, Tenant
from outpost_cli.output import make_safe
from outpost_cli.views import format_breaker, make_cell, make_table, render_facts

NO_LIMIT = "no limit"
STATUS_STYLES = {"ACTIVE": "green", "REVOKED": "red", "SUSPENDED": "red"}


def style_state(status: str) -> Text:
    return Text(make_safe(status), style=STATUS_STYLES.get(status, ""))


def format_end(moment: datetime | None, *, never: str = "never") -> str:
    return never if moment is None else format_local_moment(moment)


def format_names(names: Iterable[str] | None, *, absent: str | None = None) -> str | None:
    return absent if names is None else ", ".join(names) or "none"


def render_keys(keys: Iterable[Key]) -> Table:
    table = make_table("KEY", "STATUS", "NAME", "PREFIX", "SCOPES", "EXPIRES", "LAST USED")
    for key in keys:
        table.add_row(
            make_cell(key.key_id),
            make_cell(style_state(key.status)),
            make_cell(key.name),
            make_cell(key.prefix),
            make_cell(" ".join(key.scopes)),
            make_cell(format_end(key.expires_at)),
            make_cell(format_end(key.last_used_at)),
        )
    return table


def render_key(key: Key) -> Table:
    return render_facts(
        {
            "Key": key.key_id,
            "Name": key.name,
            "Status": style_state(key.status),
            "Begins with": key.prefix,
            "Scopes": format_names(key.scopes),
            "Agents": format_names(key.agents),
            "Repositories": format_names(key.repositories),
            "Monthly budget": format_amount(key.monthly_budget_usd),
            "Run budget": format_amount(key.run_budget_usd),
            "Run tokens": format_count(key.run_tokens, absent=None),
            "Created": format_local_moment(key.created_at),
            "Created by": key.created_by,
            "Last used": format_end(key.last_used_at),
            "Expires": format_end(key.expires_at),
            "Replaced by": key.replaced_by,
        }
    )


def render_secrets(secrets: Iterable[Secret]) -> Table:
    table = make_table("NAME", "KIND", "CREATED", "UPDATED", "UPDATED BY")
    for secret in secrets:
        table.add_row(
            make_cell(secret.name),
            make_cell(secret.kind),
            make_cell(format_local_moment(secret.created_at)),
            make_cell(format_local_moment(secret.updated_at)),
            make_cell(secret.updated_by),
        )
    return table


def render_secret(secret: Secret) -> Table:
    return render_facts(
        {
            "Secret": secret.name,
            "Kind": secret.kind,
            "Created": format_local_moment(secret.created_at),
            "Updated": format_local_moment(secret.updated_at),
            "Updated by": secret.updated_by,
        }
    )


def render_identity(identity: Identity) -> RenderableType:
    """Whose credential it is, what it is good for, and the plan behind it."""
    tenant = Text.assemble(make_safe(f"{identity.tenant_id} ({identity.tenant_name}) "))
    facts = render_facts(
        {
            "Tenant": tenant.append_text(style_state(identity.tenant_status)),
            "Key": f"{identity.key.key_id} ({identity.key.name})",
            "Credential": "a token of this key" if identity.is_token else "the key itself",
            "Scopes": format_names(identity.scopes),
            "Expires": format_end(identity.expires_at),
        }
    )
    return Group(facts, Text(), Text("Plan", style="bold"), render_plan(identity.plan))


def render_plan(plan: Plan) -> Table:
    return render_facts(
        {
            "  Kind": plan.kind,
            "  Ends": format_end(plan.ends_at),
            "  Runs at once": str(plan.concurrent_runs),
            "  Runs in the queue": str(plan.queued_runs),
            "  Dispatches": format_count(plan.dispatches),
            "  Agent minutes": format_count(plan.agent_minutes),
            "  Workspaces": format_count(plan.workspaces),
            "  Unused workspaces": format_count(plan.workspace_days, " days", absent=None),
            "  Largest workspace": format_count(plan.workspace_mb, " MB", absent=None),
            "  Longest time limit": format_duration(timedelta(seconds=plan.longest_timeout_seconds)),
            "  Largest CPU": format_count(plan.largest_cpu_units, " units"),
            "  Largest memory": format_count(plan.largest_memory_mb, " MB"),
            "  Monthly budget": format_amount(plan.monthly_budget_usd, absent=NO_LIMIT),
            "  Run budget": format_amount(plan.run_budget_usd, absent=NO_LIMIT),
            "  Run tokens": format_count(plan.run_tokens),
            "  Agents": format_names(plan.agents, absent="all"),
            "  Repositories": format_names(plan.allowed_repositories, absent="all"),
            "  Except": format_names(plan.denied_repositories or None),
            "  Own secrets": "required" if plan.is_own_secrets_required else "not required",
        }
    )


def format_count(limit: int | None, unit: str = "", *, absent: str | None = NO_LIMIT) -> str | None:
    return absent if limit is None else f"{limit:,}{unit}"


def format_amount(usd: float | None, *, absent: str | None = None) -> str | None:
    return absent if usd is None else format_money(usd)


def render_kill_switch(switch: KillSwitch) -> Table:
    return render_facts(list_kill_switch_facts(switch))


def list_kill_switch_facts(switch: KillSwitch) -> dict[str, str | Text | None]:
    return {
        "Kill switch": Text("on", style="bold red") if switch.is_on else Text("off", style="green"),
        "Reason": switch.reason,
        "Since": None if switch.set_at is None else format_local_moment(switch.set_at),
        "Set by": switch.set_by,
        "What runs": ("is stopped" if switch.stops_running else "goes on") if switch.is_on else None,
        "Stopped now": None if switch.stopped is None else str(switch.stopped),
    }


def render_tenants(tenants: Iterable[Tenant]) -> Table:
    table = make_table("TENANT", "STATUS", "NAME", "PLAN", "ENDS", "ACTIVE", "QUEUED", whole=2)
    for tenant in tenants:
        table.add_row(
            make_cell(tenant.tenant_id),
            make_cell(style_state(tenant.status)),
            make_cell(tenant.name),
            make_cell(tenant.plan.kind),
            make_cell(format_end(tenant.plan.ends_at)),
            make_cell(f"{tenant.active_runs}/{tenant.plan.concurrent_runs}"),
            make_cell(f"{tenant.queued_runs}/{tenant.plan.queued_runs}"),
        )
    return table


def render_tenant(tenant: Tenant) -> RenderableType:
    """The card of one tenant: its state, what it uses, its plan."""
    usage = tenant.usage
    used = f"{usage.dispatches} dispatches, {usage.agent_minutes:g} agent minutes, {format_money(usage.cost_usd)}"
    facts = render_facts(
        {
            "Tenant": tenant.tenant_id,
            "Name": tenant.name,
            "Status": style_state(tenant.status),
            "Suspended for": tenant.suspended_reason,
            "Created": format_local_moment(tenant.created_at),
            "Runs": f"{tenant.active_runs} active, {tenant.queued_runs} waiting",
            "Period": f"{usage.period}, resets {format_end(usage.resets_at)}",
            "Used": used,
            **list_kill_switch_facts(tenant.kill_switch),
        }
    )
    return Group(facts, Text(), Text("Plan", style="bold"), render_plan(tenant.plan))


def render_deployment(deployment: Deployment) -> RenderableType:
    """What all tenants share: slots, the kill switch, the agents' breakers."""
    table = make_table("AGENT", "BREAKER", "FAILURES")
    for agent, breaker in deployment.breakers:
        table.add_row(make_cell(agent), make_cell(format_breaker(breaker)), make_cell(str(breaker.failures)))
    slots = f"{deployment.active_runs} of {deployment.limit}"
    facts = render_facts({"Active runs": slots, **list_kill_switch_facts(deployment.kill_switch)})
    return Group(facts, Text(), table) if deployment.breakers else facts
