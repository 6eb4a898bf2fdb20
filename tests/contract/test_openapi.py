"""The API does what its OpenAPI description says, for whatever the description lets one send."""

import ast

import httpx
import pytest
import schemathesis
from deployment import ROOT
from hypothesis import HealthCheck, settings
from jsonschema_rs import meta
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from outpost.api.openapi import OPERATIONS, describe_api
from outpost.api.routes import ROUTES
from outpost_local import LocalStack

pytestmark = pytest.mark.xdist_group("contract")

# What is laid over other fields before it is checked, and what depends on the form of the answer.
CHECKED_BEHIND_THE_HANDLER = {
    ("POST", "/runs/{id}/rerun"): "request.body",
    ("POST", "/runs/{id}/follow-up"): "request.body",
    ("POST", "/batches"): "request.body",
    ("GET", "/runs/{id}/events"): "request.query",
}


@pytest.fixture(scope="module")
def stack():
    """A stack in which nothing that is dispatched is ever launched."""
    # What is tried here is the description: limits that were reached would answer everything with 429.
    limits = {"ConcurrentRuns": "1000", "DeploymentRuns": "1000", "RequestsPerMinute": "100000"}
    with LocalStack.start(ROOT / "template.yaml", limits) as running:
        running.fargate.fail_next_launches(*["no script of a generator is to be run"] * 1000)
        yield running


@pytest.fixture(scope="module")
def description(stack):
    return httpx.get(f"{stack.api_url}/openapi.json").json()


described_api = schemathesis.openapi.from_dict(describe_api("1.2.3", "http://127.0.0.1"))


# What a schema cannot say (a cursor's signature, a branch that needs a repo) is refused though it fits the schema;
# and an agent that cannot be launched is 503 by contract.
@described_api.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_answer_is_one_that_the_description_has(case, stack):
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    response = case.call(base_url=stack.api_url, headers=headers)
    assert response.status_code != 500
    case.validate_response(response, excluded_checks=[positive_data_acceptance, not_a_server_error])


def test_every_route_for_callers_is_described(description):
    described = {(method.upper(), path) for path, item in description["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in ROUTES if route.function != "broker"}
    assert described == OPERATIONS.keys()


def test_its_schemas_are_schemas(description):
    assert all(meta.is_valid(schema) for schema in description["components"]["schemas"].values())


def handlers():
    """(method, path), the models that the handler asks of its request."""
    for name in sorted({route.function for route in ROUTES} - {"broker"}):
        tree = ast.parse((ROOT / "functions" / name / "app.py").read_text())
        for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
            asked = {
                ast.unparse(node.func): ast.unparse(node.args[0])
                for node in ast.walk(function)
                if isinstance(node, ast.Call) and ast.unparse(node.func) in {"request.body", "request.query"}
            }
            for decorator in function.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "app.route":
                    yield tuple(argument.value for argument in decorator.args), asked


@pytest.mark.parametrize(("route", "asked"), list(handlers()), ids=str)
def test_what_is_described_is_what_is_checked(route, asked):
    operation = OPERATIONS[route]
    described = {"request.body": operation.body, "request.query": operation.query}
    described.pop(CHECKED_BEHIND_THE_HANDLER.get(route), None)
    assert asked == {name: model.__name__ for name, model in described.items() if model is not None}
