"""Tenants are strangers: whatever one sends of another's, it gets what it would get for something that nobody has."""

import inspect
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from builders import TASK_ARN, an_api_event
from functions import Answer, Api, LambdaContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outpost.adapters import dynamo_items
from outpost.adapters.dynamo_runs import DynamoRuns
from outpost.api.openapi import OPERATIONS
from outpost.api.routes import ROUTES, Route, find_route
from outpost.domain.event import Event, EventType
from outpost.domain.report import Artifact
from outpost.domain.run import Run

NOBODYS_ID = "01Q3ENHRG0NNNNNNNNNNNNNNNN"
TENANT_ROUTES = [route for route in ROUTES if route.needs_key]
ROUTES_WITH_ID = [route for route in TENANT_ROUTES if "{id}" in route.path]
ROUTES_WITHOUT_ID = [route for route in TENANT_ROUTES if "{id}" not in route.path]
BODIES = {
    ("POST", "/dispatch"): {"agent": "shell", "task": "echo hello"},
    ("POST", "/keys"): {"name": "another", "scopes": ["status"]},
    ("PUT", "/secrets/{name}"): {"value": "a value of my own"},
    ("PUT", "/kill-switch"): {"reason": "a drill"},
    ("POST", "/runs/{id}/follow-up"): {"task": "go on"},
    ("POST", "/batches"): {"task": "echo hello", "agents": [{"agent": "shell"}, {"agent": "claude"}]},
    ("POST", "/batches/{id}/promote"): {"runId": NOBODYS_ID},
}


@dataclass
class Household:
    """A tenant with everything that a tenant can have."""

    api: Api
    run_id: str
    queued_run_id: str
    key_id: str
    workspace_id: str
    batch_id: str
    token: str
    secret_name: str
    idempotency_key: str
    cursors: dict[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[str, ...]:
        """What can stand in a path."""
        return (
            self.run_id,
            self.queued_run_id,
            self.key_id,
            self.workspace_id,
            self.batch_id,
            self.api.tenant_id,
        )

    @property
    def traces(self) -> tuple[str, ...]:
        """What must never show in another's answer."""
        return (*self.ids, self.api.key, self.secret_name, self.idempotency_key, f"the work of {self.api.tenant_id}")


def furnish(api: Api, deployment: Any) -> Household:
    """Give the tenant runs with files, a queue, keys, a token, secrets and cursors."""
    work = {"task": f"the work of {api.tenant_id}", "tags": {"of": f"the work of {api.tenant_id}"}}
    idempotency_key = f"key-of-{api.tenant_id}"
    run_id = api.dispatch(**work, idempotencyKey=idempotency_key).data["runId"]
    queued_run_id = api.dispatch(**work).data["runId"]
    made_in = api.dispatch(**work, workspaceMode="persistent").data["runId"]
    api.dispatch(**work, workspaceMode="persistent")
    workspace_id = api.get("/runs/{id}", made_in).data["workspaceId"]
    asked = work | {"agents": [{"agent": "shell"}, {"agent": "claude"}]}
    batch_id = api.call("POST", "/batches", function="dispatch", json=asked).data["batchId"]
    leave_files(DynamoRuns(deployment.dynamodb, deployment.settings), api.tenant_id, run_id)
    wish = {"name": f"the work of {api.tenant_id}", "scopes": ["status"]}
    key_id = api.call("POST", "/keys", function="account", json=wish).data["keyId"]
    token = api.call("POST", "/auth/token", function="account", json={}).data["token"]
    secret_names = [f"{name}_OF_{api.tenant_id.upper().replace('-', '_')}" for name in ("KEY", "TOKEN")]
    for secret_name in secret_names:
        path = "/secrets/{name}"
        value = {"value": f"the work of {api.tenant_id}"}
        assert api.call("PUT", path, function="account", path_id=secret_name, json=value).status == 201
    cursors = {path: api.get(path, query={"limit": ["1"]}).body["meta"]["pagination"]["nextCursor"] for path in LISTS}
    return Household(
        api,
        run_id,
        queued_run_id,
        key_id,
        workspace_id,
        batch_id,
        token,
        secret_names[0],
        idempotency_key,
        cursors,
    )


LISTS = ("/runs", "/keys", "/secrets", "/workspaces")


def leave_files(runs: DynamoRuns, tenant_id: str, run_id: str) -> None:
    """A run that is claimed, with a file."""
    before = runs.get(tenant_id, run_id)
    assert before is not None
    after = before.claimed(attempt=1, claim_id="c" * 32, task_arn=TASK_ARN, at=before.created_at)
    event = Event(f"{run_id[:-4]}FILE", tenant_id, EventType.RUN_RUNNING, before.created_at, run_id)
    file = Artifact(1, f"the work of {tenant_id}", "artifact", 1, "0" * 64, "text/plain")
    runs.save(before, after, event, [file])


@pytest.fixture
def households(make_api, api_deployment) -> tuple[Household, Household]:
    """Two households of a test's own."""
    return tuple(furnish(make_api(plan={"concurrentRuns": 1}), api_deployment) for _ in range(2))


@pytest.fixture(scope="module")
def pair(functions, api_deployment) -> tuple[Household, Household]:
    """Two households that tests share: what is asked of them changes nothing that another test looks at."""

    def make(tenant_id: str) -> Api:
        wish = {"operation": "create-tenant", "tenantId": tenant_id, "name": "x", "plan": {"concurrentRuns": 1}}
        created = functions["operate"].handler(wish, LambdaContext())
        return Api(tenant_id, created["data"]["apiKey"], functions)

    return furnish(make("curious"), api_deployment), furnish(make("reserved"), api_deployment)


def send(api: Api, route: Route, path_id: str = "", **request: Any) -> Answer:
    """The route's request with a body that it takes."""
    body = BODIES.get((route.method, route.path))
    headers = {"Authorization": f"Bearer {api.key}"} | request.pop("headers", {})
    event = an_api_event(
        route.method, route.path, path_id=path_id, body=json.dumps(body) if body else None, headers=headers, **request
    )
    answer = api.functions[route.function].handler(event, LambdaContext())
    return Answer(answer["statusCode"], {n: v[0] for n, v in answer["multiValueHeaders"].items()}, answer["body"])


def without_its_moment(answer: Answer) -> tuple[int, object, set[str]]:
    """What an answer says, without when it was given and what is left of the rate."""
    body = answer.body
    body["meta"].pop("timestamp")
    return answer.status, body, set(answer.headers)


def clients_of(wiring: Any) -> tuple[Any, ...]:
    """The clients by which a function looks for what is in a path."""
    return wiring._dynamodb, wiring._step_functions, wiring._secrets_manager


@pytest.fixture
def calls(functions, monkeypatch) -> list[str]:
    """The AWS calls that functions make."""
    made: list[str] = []
    for module in functions.values():
        for client in clients_of(module.wiring):
            client.meta.events.register(
                "before-call.*.*", lambda model, **_: made.append(model.name), unique_id="calls"
            )
    yield made
    for module in functions.values():
        for client in clients_of(module.wiring):
            client.meta.events.unregister("before-call.*.*", unique_id="calls")


def after_the_key(calls: list[str], route: Route) -> list[str]:
    """The calls without those that look at the key, which has to be counted now and then, or is proved at the end."""
    of_the_key = 2 if calls[0] == "UpdateItem" else 1
    proved_later = [call for call in calls if call not in ("UpdateItem", "BatchGetItem")]
    return proved_later if route.is_proved_later else calls[of_the_key:]


@pytest.mark.parametrize("route", ROUTES_WITH_ID, ids=lambda route: f"{route.method} {route.path}")
@pytest.mark.parametrize("which", range(6), ids=["run", "queued run", "key", "workspace", "batch", "tenant"])
def test_anothers_id_is_answered_as_nobodys_is_with_the_same_calls(pair, calls, route, which):
    mine, theirs = pair
    of_nobody = send(mine.api, route, NOBODYS_ID)
    calls_for_nobody = after_the_key(calls, route)
    calls.clear()
    of_another = send(mine.api, route, theirs.ids[which])
    assert of_another.status == 404
    assert without_its_moment(of_another) == without_its_moment(of_nobody)
    assert after_the_key(calls, route) == calls_for_nobody


def test_anothers_secret_is_answered_as_nobodys_is_with_the_same_calls(pair, calls):
    mine, theirs = pair
    route = find_route("DELETE", "/secrets/{name}")
    of_nobody = send(mine.api, route, "NOBODYS_NAME")
    calls_for_nobody = after_the_key(calls, route)
    calls.clear()
    of_another = send(mine.api, route, theirs.secret_name)
    assert of_another.status == 404
    assert without_its_moment(of_another) == without_its_moment(of_nobody)
    assert after_the_key(calls, route) == calls_for_nobody


def test_a_secret_that_i_call_as_another_does_is_mine(households, api_deployment):
    mine, theirs = households
    before = everything_of(theirs, api_deployment)
    route = find_route("PUT", "/secrets/{name}")
    assert send(mine.api, route, theirs.secret_name).status == 201
    assert everything_of(theirs, api_deployment) == before


@pytest.mark.parametrize("route", ROUTES_WITHOUT_ID, ids=lambda route: f"{route.method} {route.path}")
def test_no_answer_has_a_trace_of_another(households, route):
    mine, theirs = households
    answer = send(mine.api, route, mine.secret_name)
    assert answer.status < 300
    assert not [trace for trace in theirs.traces if trace in answer.text]


@pytest.mark.parametrize("path", LISTS)
def test_anothers_cursor_is_no_cursor(pair, path):
    mine, theirs = pair
    answers = [mine.api.get(path, query={"cursor": [cursor]}) for cursor in (theirs.cursors[path], "nonsense")]
    assert [answer.error["code"] for answer in answers] == ["INVALID_CURSOR"] * 2
    assert without_its_moment(answers[0]) == without_its_moment(answers[1])


def test_anothers_idempotency_key_is_free_for_me(households):
    mine, theirs = households
    mine.api.cancel(mine.queued_run_id)
    answer = mine.api.dispatch(task=f"the work of {theirs.api.tenant_id}", idempotencyKey=theirs.idempotency_key)
    assert answer.status == 201
    assert answer.data["runId"] not in theirs.ids


@pytest.mark.parametrize("route", TENANT_ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_my_key_does_not_speak_for_another_tenant(pair, route):
    mine, theirs = pair
    answer = send(mine.api, route, theirs.run_id, headers={"X-Tenant-ID": theirs.api.tenant_id})
    assert answer.error["code"] == "TENANT_MISMATCH"
    unknown = send(mine.api, route, theirs.run_id, headers={"X-Tenant-ID": "nobody"})
    assert without_its_moment(answer) == without_its_moment(unknown)


def everything_of(household: Household, deployment: Any) -> list[str]:
    """All that is recorded of a tenant, and the value of its secret; of its keys, that they are there."""
    settings = deployment.settings
    tables = (settings.jobs_table, settings.tenants_table, settings.audit_table, settings.workspaces_table)
    found = [
        deployment.dynamodb.query(
            TableName=table,
            KeyConditionExpression="pk = :tenant",
            ExpressionAttributeValues={":tenant": {"S": f"TENANT#{household.api.tenant_id}"}},
        )["Items"]
        for table in tables
    ]
    secret_id = f"outpost/dev/tenants/{household.api.tenant_id}/{household.secret_name}"
    value = deployment.secrets.get_secret_value(SecretId=secret_id)["SecretString"]
    return [value, *(json.dumps(item, sort_keys=True) for items in found for item in items)]


SMUGGLED = st.sampled_from(
    ["run_id", "queued_run_id", "key_id", "workspace_id", "batch_id", "token", "secret_name", "idempotency_key"]
)


BODY_FIELDS = st.sampled_from([{"agent": "shell", "task": "echo"}, {"task": "go on"}, {}])
BODY_NAMES = st.sampled_from(["tenantId", "workspaceId", "runId", "parentRunId", "batchId", "idempotencyKey", "repo"])


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_i_send_shows_or_changes_what_is_anothers(data, pair, api_deployment):
    """Every route, with another's things in the path, the query, the headers and the body."""
    mine, theirs = pair
    route = data.draw(st.sampled_from(TENANT_ROUTES), "route")
    smuggled = [str(getattr(theirs, data.draw(SMUGGLED, "what"))) for _ in range(4)]
    names = data.draw(st.sampled_from(["cursor", "tag", "repo", "agent", "id", "tenantId"]), "parameter")
    before = everything_of(theirs, api_deployment)
    event = an_api_event(
        route.method,
        route.path,
        path_id=smuggled[0],
        query={names: [smuggled[1]]} if data.draw(st.booleans(), "query") else {},
        headers={
            "Authorization": f"Bearer {mine.api.key}",
            "X-API-Key": theirs.api.key if data.draw(st.booleans(), "key") else "nothing",
            "Idempotency-Key": smuggled[2],
        },
        body=json.dumps(data.draw(BODY_FIELDS, "body") | {data.draw(BODY_NAMES, "field"): smuggled[3]}),
    )
    answer = mine.api.functions[route.function].handler(event, LambdaContext())
    assert not [trace for trace in theirs.traces if trace not in smuggled and trace in answer["body"]]
    assert everything_of(theirs, api_deployment) == before


def test_no_key_of_an_item_is_built_without_a_tenant():
    builders = {
        name: inspect.signature(function)
        for name, function in inspect.getmembers(dynamo_items, inspect.isfunction)
        if name.endswith("_key")
    }
    of_no_tenant = [
        name
        for name, signature in builders.items()
        if "tenant_id" not in signature.parameters
        and not any(parameter.annotation is Run for parameter in signature.parameters.values())
    ]
    assert of_no_tenant == ["deployment_key"]


def test_every_route_of_the_description_is_fired_at():
    described = {key for key in OPERATIONS if not key[1].startswith(("/health", "/version", "/openapi"))} - {
        ("GET", "/")
    }
    assert described == {(route.method, route.path) for route in TENANT_ROUTES}
