"""The actions that the template allows to each function, and those that a call needs."""

import ast
from fnmatch import fnmatchcase
from typing import Any

from deployment import read_template

from outpost_local.lambda_host import RecordedCall

PREFIXES = {"stepfunctions": "states"}
SECRET_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"


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


def may_touch(function: str, action: str, secret: str) -> bool:
    """Whether a function may do this to a secret, by its name, or by its ARN or the end of one."""
    name = secret.removeprefix(SECRET_ARN)
    allowed = [text for may, text in granted(function) if may == f"secretsmanager:{action}"]
    return any(fnmatchcase(f"{SECRET_ARN}{name}", _pattern(text)) for text in allowed)


def _pattern(resource: str) -> str:
    """The ARNs that a resource of the template stands for, in `dev`."""
    written = ast.literal_eval(resource)
    if "Ref" in written:
        name = read_template()["Resources"][written["Ref"]]["Properties"]["Name"]["Fn::Sub"]
        written = {"Fn::Sub": f"{SECRET_ARN}{name}*"}
    pattern = str(written["Fn::Sub"]).replace("${Env}", "dev")
    values = {"Partition": "aws", "Region": "us-east-1", "AccountId": "123456789012"}
    for name, value in values.items():
        pattern = pattern.replace(f"${{AWS::{name}}}", value)
    return pattern


def refused(call: RecordedCall) -> list[tuple[str, str, str]]:
    """(function, action, table or secret) for what a call does and its function's policy does not allow."""
    if call.service == "secretsmanager":
        return [(call.function, *use) for use in call.accesses if not may_touch(call.function, *use)]
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
