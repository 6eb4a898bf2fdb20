"""The actions that the template allows to each function, and those that a call needs."""

from functools import cache
from typing import Any

from deployment import read_template

from outpost_local.lambda_host import RecordedCall

SERVICES = {"stepfunctions": "states", "logs": "logs"}
# A transaction is authorised by what it writes; presigning is a call of whoever uses the URL.
TRANSACTION = ("dynamodb:PutItem", "dynamodb:UpdateItem")


def statements(function: str) -> list[dict[str, Any]]:
    """The policy statements of a function, by its logical id."""
    policies = read_template()["Resources"][function]["Properties"].get("Policies", [])
    return [statement for policy in policies for statement in policy["Statement"]]


class AllowedActions:
    """What the template grants."""

    @cache  # noqa: B019 one object for the life of the tests
    def of(self, function: str) -> frozenset[str]:
        """The actions that a function may call."""
        granted: list[str] = []
        for statement in statements(function):
            action = statement["Action"]
            granted.extend([action] if isinstance(action, str) else action)
        return frozenset(granted)

    def needed_by(self, call: RecordedCall) -> tuple[str, ...]:
        """The actions by which IAM would judge the call."""
        if call.operation == "TransactWriteItems":
            return ("dynamodb:PutItem",)
        service = SERVICES.get(call.service, call.service)
        return (f"{service}:{call.operation}",)


allowed_actions = AllowedActions()
