"""The actions that the template allows to each function, and those that a call needs."""

from typing import Any

from deployment import read_template

from outpost_local.lambda_host import RecordedCall

PREFIXES = {"stepfunctions": "states"}


def statements(function: str) -> list[dict[str, Any]]:
    """The policy statements of a function, by its logical id."""
    policies = read_template()["Resources"][function]["Properties"].get("Policies", [])
    return [statement for policy in policies for statement in policy["Statement"]]


def granted(function: str) -> set[tuple[str, str]]:
    """(action, resource) pairs of a function, the resource as the template writes it."""
    pairs = set()
    for statement in statements(function):
        actions, resources = (
            value if isinstance(value, list) and not isinstance(value, str) else [value]
            for value in (statement["Action"], statement["Resource"])
        )
        pairs |= {(action, str(resource)) for action in actions for resource in resources}
    return pairs


def refused(call: RecordedCall) -> list[tuple[str, str, str]]:
    """(function, action, table) for what a call does and its function's policy does not allow."""
    logical_ids = {
        resource["Properties"]["TableName"]["Fn::Sub"].replace("${Env}", "dev"): name
        for name, resource in read_template()["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::Table"
    }
    prefix = PREFIXES.get(call.service, call.service)
    wanted = [(f"{prefix}:{action}", logical_ids.get(table, "")) for action, table in call.accesses]
    allowed = granted(call.function)
    return [
        (call.function, action, table)
        for action, table in wanted
        if not any(action == may and table in resource for may, resource in allowed)
    ]
