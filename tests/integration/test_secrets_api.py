"""A tenant's own secrets over HTTP: kept, listed, replaced and deleted, and their values nowhere to be seen."""

import json
import logging
import traceback
from dataclasses import replace

import pytest

from outpost.domain.secret import MOST_SECRETS

VALUE = "the value of a secret"
CANARY = "canary-4f1d5c-of-a-tenant"


def put(api, name="DEPLOY_KEY", value=VALUE, **request):
    """PUT /secrets/{name}."""
    return api.call("PUT", "/secrets/{name}", function="account", path_id=name, json={"value": value}, **request)


def delete(api, name="DEPLOY_KEY"):
    """DELETE /secrets/{name}."""
    return api.call("DELETE", "/secrets/{name}", function="account", path_id=name)


def listed(answer):
    """The names of a list."""
    return [secret["name"] for secret in answer.data["secrets"]]


def refusal(answer):
    """Status and code."""
    return answer.status, answer.error["code"]


def errors(answer):
    """(path, message) of what is wrong."""
    return [(error["path"], error["message"]) for error in answer.error["details"]["errors"]]


def own_key_id(api):
    """The id of the key that calls."""
    return api.get("/auth/whoami").data["key"]["keyId"]


def with_scopes(api, *scopes):
    """The API in the hands of another key."""
    wish = {"name": "another", "scopes": list(scopes)}
    return replace(api, key=api.call("POST", "/keys", function="account", json=wish).data["apiKey"])


def stored_value(deployment, tenant_id, name="DEPLOY_KEY"):
    """What lies in the vault."""
    secret_id = f"outpost/dev/tenants/{tenant_id}/{name}"
    return deployment.secrets.get_secret_value(SecretId=secret_id)["SecretString"]


def test_a_new_secret_is_told_without_its_value(make_timed_api):
    api = make_timed_api()
    answer = put(api)
    assert answer.status == 201
    assert answer.headers["Location"] == "https://api.example.com/dev/secrets/DEPLOY_KEY"
    assert answer.data == {
        "name": "DEPLOY_KEY",
        "kind": "environment",
        "createdAt": "2030-01-01T12:00:00.000Z",
        "updatedAt": "2030-01-01T12:00:00.000Z",
        "updatedBy": own_key_id(api),
    }


def test_a_replaced_secret_says_since_when(make_timed_api, clock):
    api = make_timed_api()
    put(api)
    clock.move(hours=1)
    answer = put(with_scopes(api, "secrets"), value="another value")
    assert (answer.status, "Location" in answer.headers) == (200, False)
    assert (answer.data["createdAt"], answer.data["updatedAt"]) == (
        "2030-01-01T12:00:00.000Z",
        "2030-01-01T13:00:00.000Z",
    )
    assert answer.data["updatedBy"] != own_key_id(api)


def test_the_value_is_kept(api, api_deployment):
    put(api)
    put(api, value="another välue\n")
    assert stored_value(api_deployment, api.tenant_id) == "another välue\n"


def test_a_deleted_secret_is_told_as_it_was_and_gone(api):
    made = put(api).data
    answer = delete(api)
    assert (answer.status, answer.data) == (200, made)
    assert listed(api.get("/secrets")) == []
    assert refusal(delete(api)) == (404, "NOT_FOUND")


def test_a_deleted_secret_can_be_put_again(api, api_deployment):
    put(api)
    delete(api)
    assert put(api, value="another value").status == 201
    assert stored_value(api_deployment, api.tenant_id) == "another value"


def test_secrets_are_listed_by_name_with_what_they_are_for(api):
    outcomes = [put(api, name, "12345678").status for name in ("xai", "DEPLOY_KEY", "github")]
    answer = api.get("/secrets")
    assert outcomes == [201, 201, 201]
    assert [(secret["name"], secret["kind"]) for secret in answer.data["secrets"]] == [
        ("DEPLOY_KEY", "environment"),
        ("github", "git"),
        ("xai", "provider"),
    ]
    assert {*answer.data["secrets"][0]} == {"name", "kind", "createdAt", "updatedAt", "updatedBy"}


def test_pages_of_secrets_are_disjoint_and_complete(api):
    names = [put(api, name).data["name"] for name in ("A_NAME", "B_NAME", "C_NAME")]
    first = api.get("/secrets", query={"limit": ["2"]})
    page = first.body["meta"]["pagination"]
    second = api.get("/secrets", query={"limit": ["2"], "cursor": [page["nextCursor"]]})
    assert (page["hasMore"], page["limit"]) == (True, 2)
    assert listed(first) + listed(second) == names
    assert second.body["meta"]["pagination"] == {"nextCursor": None, "hasMore": False, "limit": 2}


@pytest.mark.parametrize("query", [{"limit": ["0"]}, {"limit": ["101"]}, {"kind": ["git"]}], ids=str)
def test_a_query_for_secrets_is_checked(api, query):
    answer = api.get("/secrets", query=query)
    assert (answer.status, [path for path, _ in errors(answer)]) == (400, list(query))


def test_tenants_have_secrets_of_the_same_name(make_api, api_deployment):
    mine, theirs = make_api(), make_api()
    put(theirs, value="their own value")
    assert put(mine, value="my own value").status == 201
    delete(mine)
    assert stored_value(api_deployment, theirs.tenant_id) == "their own value"
    assert listed(theirs.get("/secrets")) == ["DEPLOY_KEY"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PATH", VALUE, [("name", "must not be PATH, which changes how the run itself works: choose another name")]),
        ("DEPLOY_KEY", "short", [("value", "must have 8 to 16384 characters")]),
        ("DEPLOY_KEY", f"{VALUE}\0", [("value", "must not contain the character NUL")]),
        ("openai", f"{VALUE}\n", [("value", "must be printable ASCII without spaces or line ends")]),
        ("DEPLOY_KEY", 12345678, [("value", "must be a text")]),
        ("DEPLOY_KEY", None, [("value", "must be a text")]),
    ],
)
def test_what_does_not_fit_is_refused_by_name(api, name, value, expected):
    answer = put(api, name, value)
    assert (*refusal(answer), errors(answer)) == (400, "VALIDATION_ERROR", expected)
    assert listed(api.get("/secrets")) == []


def test_all_that_is_wrong_is_told_at_once(api):
    assert [path for path, _ in errors(put(api, "no name", "short"))] == ["name", "value"]


def test_an_unknown_field_is_refused(api):
    answer = api.call(
        "PUT", "/secrets/{name}", function="account", path_id="TOKEN", json={"value": VALUE, "kind": "git"}
    )
    assert errors(answer) == [("kind", "is not known here")]


def test_half_a_character_is_refused(api):
    body = '{"value": "a value with \\ud83d"}'
    answer = api.call("PUT", "/secrets/{name}", function="account", path_id="TOKEN", body=body)
    assert refusal(answer) == (400, "MALFORMED_JSON")


@pytest.mark.parametrize("name", ["NOTHING", "PATH", "no name", "x" * 200, "..%2Fother%2FDEPLOY_KEY"])
def test_what_is_not_there_is_not_found(api, name):
    answer = delete(api, name)
    assert (*refusal(answer), answer.error["message"]) == (404, "NOT_FOUND", "There is no such secret.")


def test_secrets_need_their_scope(api):
    other = with_scopes(api, "keys", "admin", "status", "dispatch")
    answers = [other.get("/secrets"), put(other), delete(other)]
    assert [(*refusal(answer), answer.error["details"]) for answer in answers] == [
        (403, "AUTHORIZATION_ERROR", {"scope": "secrets"})
    ] * 3


def test_a_token_with_the_scope_keeps_secrets(api):
    token = api.call("POST", "/auth/token", function="account", json={"scopes": ["secrets"]}).data["token"]
    assert put(replace(api, key=token)).data["updatedBy"] == own_key_id(api)


def test_there_is_an_end_to_secrets(api):
    made = [put(api, f"NAME_{number}").status for number in range(MOST_SECRETS)]
    answer = put(api)
    assert set(made) == {201}
    assert (*refusal(answer), answer.error["details"]) == (
        429,
        "QUOTA_EXCEEDED",
        {"dimension": "secrets", "limit": 50, "used": 50, "resetsAt": None},
    )
    assert "Retry-After" in answer.headers
    assert [put(api, "NAME_0").status, delete(api, "NAME_0").status, put(api).status] == [200, 200, 201]


def events_of(deployment, tenant_id):
    """The tenant's events, oldest first."""
    found = deployment.dynamodb.query(
        TableName=deployment.settings.audit_table,
        KeyConditionExpression="pk = :tenant",
        ExpressionAttributeValues={":tenant": {"S": f"TENANT#{tenant_id}"}},
    )
    return [(item["type"]["S"], item["details"]["M"]) for item in found["Items"]]


def test_every_deed_is_an_event_that_names_the_secret_and_the_key(api, api_deployment):
    put(api)
    put(api)
    delete(api)
    details = {"name": {"S": "DEPLOY_KEY"}, "kind": {"S": "environment"}, "by": {"S": own_key_id(api)}}
    assert events_of(api_deployment, api.tenant_id)[-3:] == [
        ("secret.created", details),
        ("secret.replaced", details),
        ("secret.deleted", details),
    ]


class Recorder(logging.Handler):
    """Every log line with all that came with it."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        story = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.lines.append(f"{record.getMessage()} {vars(record)} {story}")


@pytest.fixture
def logged(functions):
    """What the functions log, at the level at which they do."""
    recorder, loggers = (
        Recorder(),
        [logging.getLogger(), *(functions[name].app._logger for name in ("account", "read"))],
    )
    for logger in loggers:
        logger.addHandler(recorder)
    yield recorder.lines
    logging.getLogger().removeHandler(recorder)
    for logger in loggers[1:]:
        logger._logger.removeHandler(recorder)


def everything_stored(deployment):
    """Every item of every table, and every object's name."""
    tables = deployment.dynamodb.list_tables()["TableNames"]
    items = [deployment.dynamodb.scan(TableName=table)["Items"] for table in tables]
    objects = deployment.s3.list_objects_v2(Bucket=deployment.settings.artifacts_bucket).get("Contents", [])
    return json.dumps([items, [entry["Key"] for entry in objects]])


def test_a_value_shows_in_no_answer_record_event_or_log_line(api, functions, api_deployment, logged, monkeypatch):
    answers = [
        put(api, value=CANARY),
        put(api, value=f"{CANARY} again"),
        put(api, "openai", CANARY),
        put(api, "github", f" {CANARY}"),
        put(api, "PATH", CANARY),
        put(api, value=f"{CANARY}\0"),
        put(api, value=CANARY * 1_000),
        put(api, value=[CANARY]),
        api.call("PUT", "/secrets/{name}", function="account", path_id="TOKEN", body=f'{{"value": "{CANARY}"'),
        api.call("PUT", "/secrets/{name}", function="account", path_id="TOKEN", json={"value": CANARY, "x": CANARY}),
        api.get("/secrets"),
        delete(api),
        api.call("GET", "/openapi.json", function="health"),
    ]
    with monkeypatch.context() as patch:
        patch.setitem(vars(functions["account"].wiring), "vault", None)
        answers.append(put(api, value=CANARY))
    with monkeypatch.context() as patch:
        patch.setitem(vars(functions["account"].wiring), "tenant_secrets", None)
        answers.append(put(api, value=CANARY))
    assert [answer.status for answer in answers] == [201, 200, 201, *[400] * 7, 200, 200, 200, 500, 500]
    assert [line for line in logged if "a defect" in line]
    assert CANARY not in "".join(answer.text for answer in answers)
    assert CANARY not in (stored := everything_stored(api_deployment))
    assert "DEPLOY_KEY" in stored
    assert CANARY not in "".join(logged)
