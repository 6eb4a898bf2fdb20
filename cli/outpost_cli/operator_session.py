"""What the operator's commands share: which deployment, and the way to its operate function."""

from dataclasses import dataclass
from typing import Annotated

import typer

from outpost_cli.errors import OperatorPartMissing, UsageRefused
from outpost_cli.local_aws import (
    ENDPOINT_VARIABLE,
    HOW_TO_START,
    KEY_ID_VARIABLE,
    REGION_VARIABLE,
    SECRET_VARIABLE,
    LocalAwsFile,
)
from outpost_cli.operations import Operations
from outpost_cli.output import Output
from outpost_cli.session import JSON_OPTION, PANEL, with_shared_options

DEFAULT_ENVIRONMENT = "dev"
EnvironmentOption = Annotated[
    str, typer.Option("--env", help="The deployment: dev, staging, prod.", rich_help_panel=PANEL)
]
FunctionOption = Annotated[
    str | None,
    typer.Option("--function", help="The operate function's name or ARN, whatever --env says.", rich_help_panel=PANEL),
]
RegionOption = Annotated[
    str | None, typer.Option("--region", help=f"The AWS region [{REGION_VARIABLE}].", rich_help_panel=PANEL)
]
EndpointOption = Annotated[
    str | None,
    typer.Option(
        "--endpoint-url", help=f"Another endpoint than AWS's own [{ENDPOINT_VARIABLE}].", rich_help_panel=PANEL
    ),
]
LocalOption = Annotated[
    bool, typer.Option("--local", help="The stack that `outpost local up` runs on this machine.", rich_help_panel=PANEL)
]


@dataclass(frozen=True, slots=True)
class Operator:
    """One call of one of the operator's commands."""

    output: Output
    function: str
    region: str | None
    endpoint_url: str | None
    is_local: bool

    def open(self) -> Operations:
        """The operations of the chosen deployment. Raises OperatorPartMissing, and UsageRefused when none is chosen."""
        try:
            from outpost_cli.operate_client import OperateClient, OperateTarget  # noqa: PLC0415 - optional, slow
        except ModuleNotFoundError as error:
            raise OperatorPartMissing(
                f"The operator's commands are not installed: the module {error.name} is missing.",
                remedy="Install them with: pip install 'outpost[operator]'",
            ) from error
        if not self.is_local:
            return Operations(OperateClient(OperateTarget(self.function, self.region, self.endpoint_url)))
        if self.region or self.endpoint_url:
            raise UsageRefused(
                "--local knows its region and endpoint.", remedy="Leave out --region and --endpoint-url."
            )
        found = LocalAwsFile.locate().read()
        target = OperateTarget(
            function=self.function,
            region=found[REGION_VARIABLE],
            endpoint_url=found[ENDPOINT_VARIABLE],
            access_key_id=found[KEY_ID_VARIABLE],
            secret_access_key=found[SECRET_VARIABLE],
            if_unreachable=HOW_TO_START,
        )
        return Operations(OperateClient(target))


def open_operator(
    output: Output, *, environment: str, function: str | None, region: str | None, endpoint_url: str | None, local: bool
) -> Operator:
    return Operator(output, function or f"outpost-operate-{environment}", region, endpoint_url, local)


with_operator = with_shared_options(
    {
        "environment": (EnvironmentOption, DEFAULT_ENVIRONMENT),
        "function": (FunctionOption, None),
        "region": (RegionOption, None),
        "endpoint_url": (EndpointOption, None),
        "local": (LocalOption, False),
        "as_json": JSON_OPTION,
    },
    open_operator,
)
