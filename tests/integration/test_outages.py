"""What the API answers when AWS, or the code itself, fails."""

import pytest
from builders import an_api_event
from functions import Api, LambdaContext, load_function


@pytest.fixture
def api(deployment, monkeypatch):
    """A tenant's API on a deployment that the test may break."""
    for name, value in vars(deployment.settings).items():
        monkeypatch.setenv(name.upper(), str(value))
    functions = {name: load_function(name) for name in ("dispatch", "read", "health", "operate")}
    event = {"operation": "create-tenant", "tenantId": "acme", "name": "Acme"}
    return Api("acme", functions["operate"].handler(event, LambdaContext())["data"]["apiKey"], functions)


def test_a_custom_domains_base_path_is_not_part_of_the_route(deployment, monkeypatch):
    for name, value in vars(deployment.settings).items():
        monkeypatch.setenv(name.upper(), str(value))
    monkeypatch.setenv("API_URL", "https://agents.example.com/outpost")
    event = an_api_event("GET", "/version") | {"path": "/outpost/version"}
    assert load_function("health").handler(event, LambdaContext())["statusCode"] == 200


def test_a_missing_table_is_seen_by_health(api, deployment):
    deployment.dynamodb.delete_table(TableName=deployment.settings.jobs_table)
    assert api.call("GET", "/health", function="health").body["components"]["tables"] == "down"
    ready = api.call("GET", "/health/ready", function="health")
    assert (ready.status, "Retry-After" in ready.headers) == (503, True)


def test_a_lost_table_is_503_and_tells_nothing(api, deployment):
    deployment.dynamodb.delete_table(TableName=deployment.settings.jobs_table)
    answer = api.dispatch()
    assert (answer.status, answer.error["code"], answer.error["retryable"]) == (503, "SERVICE_UNAVAILABLE", True)
    assert deployment.settings.jobs_table not in answer.text


def test_a_defect_is_500_without_its_story(api, monkeypatch):
    monkeypatch.setitem(vars(api.functions["read"].wiring), "runs", None)
    answer = api.get("/runs/{id}", "x")
    assert (answer.status, answer.error["code"]) == (500, "INTERNAL_ERROR")
    assert "division" not in answer.text
