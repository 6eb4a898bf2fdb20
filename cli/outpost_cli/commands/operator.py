"""`outpost operator`: the deployment as a whole, and keys for tenants that lost theirs."""

from typing import Annotated

import typer

from outpost_cli.account_views import render_deployment, render_key
from outpost_cli.commands.kill_switch import ReasonOption, StopRunningOption
from outpost_cli.commands.operator_tenants import TenantArgument, show_tenant_outcome, tenant_app
from outpost_cli.models.tenant import Deployment
from outpost_cli.operator_session import Operator, with_operator
from outpost_cli.secret_output import show_issued_key

TenantOption = Annotated[str | None, typer.Option("--tenant", metavar="TENANT", help="Only this tenant's switch.")]
operator_app = typer.Typer(
    no_args_is_help=True,
    help="Run a deployment: tenants, plans, the switch for all. Works with your AWS identity, not with an API key.",
)
key_app = typer.Typer(no_args_is_help=True, help="Make keys for tenants.")
switch_app = typer.Typer(no_args_is_help=True, help="Stop the new dispatches of all tenants, and on demand all runs.")
operator_app.add_typer(tenant_app, name="tenant")
operator_app.add_typer(key_app, name="key")
operator_app.add_typer(switch_app, name="kill-switch")


@operator_app.command("show")
@with_operator
def show_deployment(operator: Operator) -> None:
    """Show what all tenants share: active runs, the kill switch, the agents' breakers.

    Examples:

    outpost operator show --env prod

    outpost operator show --local
    """
    show_outcome(operator, operator.open().show_deployment())


@key_app.command("create")
@with_operator
def create_key(
    operator: Operator,
    tenant_id: TenantArgument,
    *,
    name: Annotated[str | None, typer.Option("--name", help="What it is for.")] = None,
) -> None:
    """Make a key with every scope for a tenant that lost its own. Its secret is shown this once.

    Examples:

    outpost operator key create example-shop --env prod
    """
    issued = operator.open().create_key(tenant_id, name)
    show_issued_key(operator.output, issued, render_key(issued.key))


@switch_app.command("on")
@with_operator
def set_kill_switch(
    operator: Operator,
    *,
    reason: ReasonOption,
    stop_running: StopRunningOption = False,
    tenant_id: TenantOption = None,
) -> None:
    """Refuse the new dispatches of all tenants, or of one; with --stop-running cancel what runs, too.

    Examples:

    outpost operator kill-switch on --reason "a broken release" --env prod

    outpost operator kill-switch on --tenant example-shop --reason "a leaked key" --stop-running --env prod
    """
    operations = operator.open()
    if tenant_id is None:
        show_outcome(operator, operations.set_kill_switch(reason, stop_running=stop_running))
    else:
        show_tenant_outcome(operator, operations.set_tenants_kill_switch(tenant_id, reason, stop_running=stop_running))


@switch_app.command("off")
@with_operator
def lift_kill_switch(operator: Operator, *, tenant_id: TenantOption = None) -> None:
    """Accept the dispatches of all tenants again, or those of one.

    Examples:

    outpost operator kill-switch off --env prod
    """
    if tenant_id is None:
        show_outcome(operator, operator.open().lift_kill_switch())
    else:
        show_tenant_outcome(operator, operator.open().lift_tenants_kill_switch(tenant_id))


def show_outcome(operator: Operator, deployment: Deployment) -> None:
    operator.output.show_result(deployment.document, render_deployment(deployment))
