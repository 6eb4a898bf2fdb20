"""`outpost operator tenant`: the tenants of a deployment, and what each may have."""

from typing import Annotated

import typer
from rich.text import Text

from outpost_cli.account_views import render_key, render_tenant, render_tenants
from outpost_cli.errors import UsageRefused
from outpost_cli.json_fields import JsonObject
from outpost_cli.models.tenant import Tenant
from outpost_cli.operator_session import Operator, with_operator
from outpost_cli.plan_options import with_plan_change
from outpost_cli.secret_output import show_issued_key

tenant_app = typer.Typer(no_args_is_help=True, help="Make, list, suspend and resume tenants, and set their plans.")
TenantArgument = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")]
DEFAULT_LIMIT = 20


@tenant_app.command("create")
@with_operator
@with_plan_change
def create_tenant(
    operator: Operator,
    plan: JsonObject,
    tenant_id: TenantArgument,
    *,
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
) -> None:
    """Make a tenant and its first key, which has every scope. The secret is shown this once.

    Examples:

    outpost operator tenant create example-shop --name "Example Shop" --env prod

    outpost operator tenant create try-out --name "Try-out" --plan trial --dispatches 50 --ends-at 14d --local
    """
    issued = operator.open().create_tenant(tenant_id, name, plan)
    show_issued_key(operator.output, issued, Text(f"Made the tenant {tenant_id}."), render_key(issued.key))


@tenant_app.command("show")
@with_operator
def show_tenant(operator: Operator, tenant_id: TenantArgument) -> None:
    """Show one tenant: its state, what it uses, its plan.

    Examples:

    outpost operator tenant show example-shop --env prod
    """
    show_tenant_outcome(operator, operator.open().show_tenant(tenant_id))


@tenant_app.command("list")
@with_operator
def list_tenants(
    operator: Operator,
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many.")] = DEFAULT_LIMIT,
    everything: Annotated[bool, typer.Option("--all", help="All of them, whatever --limit says.")] = False,
) -> None:
    """List tenants with their plans and what they have at work.

    Examples:

    outpost operator tenant list --all --env prod --json
    """
    tenants = list(operator.open().iterate_tenants(limit=None if everything else limit))
    operator.output.show_result({"tenants": [tenant.document for tenant in tenants]}, render_tenants(tenants))


@tenant_app.command("suspend")
@with_operator
def suspend_tenant(
    operator: Operator,
    tenant_id: TenantArgument,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever looks at it later.")],
) -> None:
    """Refuse whatever a tenant asks for, until it is resumed.

    Examples:

    outpost operator tenant suspend example-shop --reason "unpaid" --env prod
    """
    show_tenant_outcome(operator, operator.open().suspend_tenant(tenant_id, reason))


@tenant_app.command("resume")
@with_operator
def resume_tenant(operator: Operator, tenant_id: TenantArgument) -> None:
    """Serve a suspended tenant again.

    Examples:

    outpost operator tenant resume example-shop --env prod
    """
    show_tenant_outcome(operator, operator.open().resume_tenant(tenant_id))


@tenant_app.command("set-plan")
@with_operator
@with_plan_change
def set_plan(operator: Operator, plan: JsonObject, tenant_id: TenantArgument) -> None:
    """Change a tenant's plan: the fields that are named, or with --plan all of them to the defaults of that kind first.

    Examples:

    outpost operator tenant set-plan example-shop --concurrent-runs 20 --env prod

    outpost operator tenant set-plan example-shop --plan standard --no-limit dispatches --agent shell --env prod
    """
    if not plan:
        raise UsageRefused("There is nothing to change.", remedy="Name a field; --help lists them.")
    show_tenant_outcome(operator, operator.open().set_plan(tenant_id, plan))


@tenant_app.command("extend-trial")
@with_operator
def extend_trial(
    operator: Operator,
    tenant_id: TenantArgument,
    *,
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="How many days more.")],
) -> None:
    """Move the end of a tenant's trial.

    Examples:

    outpost operator tenant extend-trial example-shop --days 14 --env prod
    """
    show_tenant_outcome(operator, operator.open().extend_trial(tenant_id, days))


def show_tenant_outcome(operator: Operator, tenant: Tenant) -> None:
    operator.output.show_result(tenant.document, render_tenant(tenant))
