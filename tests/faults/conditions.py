"""Lists the conditions of the DynamoDB adapters, and lets one of them hold always."""

import ast
import copy
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from botocore.client import BaseClient
from deployment import ROOT

ADAPTERS = ROOT / "layers" / "core" / "outpost" / "adapters"
# What an expression that compares or tests something looks like; names of tables and indexes do not.
LOOKS_LIKE_A_CONDITION = re.compile(r"attribute_(not_)?exists\(| (=|<>|<|<=|>|>=) ")
HASH_KEYS = {"outpost-api-keys-dev": "key_hash"}
SINGLE_WRITES = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}


@dataclass(frozen=True, order=True)
class Constant:
    """A condition by the name that an adapter gives it."""

    module: str
    name: str
    expression: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, order=True)
class Place:
    """One of the conditions that a request carries, with all of them, and what they guard."""

    part: str
    expression: str
    write: str
    table: str
    kind: str
    in_transaction: bool

    def __str__(self) -> str:
        return (
            f"{self.write} of {self.kind} in {self.table}{' (transaction)' * self.in_transaction} if {self.part}"
            f"{f' of {self.expression}' * (self.part != self.expression)}"
        )


def list_constants() -> list[Constant]:
    """Every named condition of the adapters, read from their source."""
    return sorted(constant for path in ADAPTERS.glob("*.py") for constant in _constants_of(path))


def _constants_of(path: Path) -> Iterator[Constant]:
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                if name.isupper() and LOOKS_LIKE_A_CONDITION.search(text):
                    yield Constant(path.stem, name, text)


def list_unnamed() -> list[str]:
    """Places in the adapters where a condition is written out instead of named."""
    return [
        f"{path.name}:{node.lineno}"
        for path in ADAPTERS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Dict | ast.Call)
        for name, value in _named_values(node)
        if name == "ConditionExpression" and not isinstance(value, ast.Name)
    ]


def _named_values(node: ast.Dict | ast.Call) -> Iterator[tuple[object, ast.expr]]:
    if isinstance(node, ast.Call):
        yield from ((keyword.arg, keyword.value) for keyword in node.keywords)
        return
    yield from (
        (key.value, value) for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)
    )


@dataclass
class Watch:
    """Sees every conditional write; the condition at `dropped` holds always."""

    dropped: Place | None = None
    seen: set[Place] = field(default_factory=set)
    _meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)

    def before_next(self, operation: str, action: Callable[[], object]) -> None:
        """Do something between a caller's reading and its next such write."""
        self._meanwhile[operation] = action

    def call(self, original: Callable[..., Any], client: BaseClient, operation: str, parameters: Any) -> Any:
        action = self._meanwhile.pop(operation, None)
        if action is not None:
            action()
        request = copy.deepcopy(parameters)
        if operation == "TransactWriteItems":
            for write in request["TransactItems"]:
                for kind, body in write.items():
                    self._pass(kind, body, in_transaction=True)
        elif operation in SINGLE_WRITES:
            self._pass(SINGLE_WRITES[operation], request, in_transaction=False)
        return original(client, operation, request)

    def _pass(self, write: str, body: dict[str, Any], *, in_transaction: bool) -> None:
        if "ConditionExpression" not in body:
            return
        key = body.get("Key") or body["Item"]
        kind = key.get("sk", {"S": "KEY"})["S"].partition("#")[0]
        expression = body["ConditionExpression"]
        parts = parts_of(expression)
        places = [Place(part, expression, write, body["TableName"], kind, in_transaction) for part in parts]
        self.seen.update(places)
        if self.dropped in places:
            # Its names and values stay in use: DynamoDB refuses a request that brings more than it needs.
            name = HASH_KEYS.get(body["TableName"], "pk")
            always = f"attribute_exists({name}) OR attribute_not_exists({name})"
            kept = [
                f"({part} OR {always})" if place == self.dropped else part
                for part, place in zip(parts, places, strict=True)
            ]
            body["ConditionExpression"] = " AND ".join(kept)


def parts_of(expression: str) -> list[str]:
    """The conditions that an expression demands all at once.

    That an item exists is no condition of its own before another: no comparison holds of an item that does not.
    """
    parts, depth = [""], 0
    for word in expression.split(" "):
        if word == "AND" and depth == 0 and not parts[-1].startswith("attribute_exists("):
            parts.append("")
            continue
        depth += word.count("(") - word.count(")")
        parts[-1] += f" {word}" if parts[-1] else word
    return parts


@contextmanager
def watching(watch: Watch) -> Iterator[Watch]:
    """Every call of DynamoDB passes the watch meanwhile."""
    original = BaseClient._make_api_call
    with mock.patch.object(BaseClient, "_make_api_call", lambda *call: watch.call(original, *call)):
        yield watch
