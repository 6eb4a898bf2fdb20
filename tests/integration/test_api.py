"""The HTTP contract, through the functions themselves."""

import ast
import base64
import json
from collections import Counter

import pytest
from builders import an_api_event
from deployment import ROOT
from functions import LambdaContext

from outpost.domain.api_key import hash_secret

CONTRACT_RUN = {
    "runId",
    "dispatchId",
    "status",
    "agent",
    "modelId",
    "task",
    "repo",
    "branch",
    "context",
    "workspaceMode",
    "workspaceId",
    "tags",
    "priority",
    "timeoutSeconds",
    "queueTimeoutSeconds",
    "requestedBy",
    "createdAt",
    "startedAt",
    "endedAt",
    "cancelRequestedAt",
    "computeStoppedAt",
    "attempt",
    "attempts",
    "queuePosition",
    "progress",
    "exitCode",
    "error",
    "usage",
    "result",
    "promotion",
    "parentRunId",
}
OF_ONE_RUN = ["/runs/{id}", *(f"/runs/{{id}}/{what}" for what in ("logs", "patch", "artifacts", "explain"))]
STRANGERS = ["01Q3ENHRG0NNNNNNNNNNNNNNNN", "x", "..", "%2e%2e", "RUN#1", "é", "a" * 500]


def paths(answer):
    return [error["path"] for error in answer.error["details"]["errors"]]


def test_a_dispatch_is_201_with_the_place_of_its_run(api):
    answer = api.dispatch(userId="somebody", tags={"team": "core"}, repo="acme/site", branch="main")
    run_id = answer.data["runId"]
    assert (answer.status, answer.data["status"], answer.data["dispatchId"]) == (201, "PENDING", run_id)
    assert answer.headers["Location"] == f"https://api.example.com/dev/runs/{run_id}"
    assert answer.headers["X-Request-Id"] == answer.body["meta"]["requestId"] == "request-1"
    assert len(run_id) == 26


def test_a_run_shows_every_field_of_the_contract(api):
    run_id = api.dispatch(userId="somebody", tags={"team": "core"}).data["runId"]
    run = api.get("/runs/{id}", run_id).data
    assert set(run) >= CONTRACT_RUN
    assert (run["requestedBy"], run["tags"], run["timeoutSeconds"]) == ("somebody", {"team": "core"}, 600)


def test_a_full_page_of_long_tasks_is_small_enough_for_lambda(make_api):
    api = make_api(plan={"concurrentRuns": 1000})
    tags = {f"tag-{number}": "я" * 256 for number in range(20)}
    for _ in range(5):
        api.dispatch(task="я" * 8_000, tags=tags)
    assert len(api.get("/runs").text.encode()) / 5 * 100 < 3 * 1024 * 1024


def test_no_arn_and_no_account_leaves_the_control_plane(api):
    run_id = api.dispatch().data["runId"]
    api.cancel(run_id)
    shown = api.get("/runs/{id}", run_id).text + api.get("/runs").text
    assert "arn:" not in shown
    assert "123456789012" not in shown


def test_both_names_of_a_run_are_the_same_run(api):
    run_id = api.dispatch().data["runId"]
    assert api.get("/runs/{id}", run_id).data == api.get("/dispatch/{id}", run_id).data


def test_a_tier_is_resolved_to_a_model(api):
    assert api.dispatch(modelId="flagship").data["modelId"] == "none"


def test_every_wrong_field_is_named_at_once(api):
    answer = api.dispatch(agent="shel", task=" ", timeoutSeconds=29, branch="a..b", repo="x", tags=["c"], userId="")
    assert (answer.status, answer.error["code"]) == (400, "VALIDATION_ERROR")
    assert sorted(paths(answer)) == ["agent", "branch", "repo", "tags", "task", "timeoutSeconds", "userId"]


@pytest.mark.parametrize(
    "changes",
    [
        {"promote": {"when": "success"}},
        {"tsak": "typo"},
        {"timeout_seconds": 60},
        {"workspace_id": "x"},
        {"skipLogs": "false"},
    ],
)
def test_a_field_that_means_nothing_here_is_refused_by_name(api, changes):
    answer = api.dispatch(**changes)
    assert (answer.status, paths(answer)) == (400, list(changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"timeoutSeconds": "600"},
        {"timeoutSeconds": 600.5},
        {"timeoutSeconds": True},
        {"timeoutSeconds": 86401},
        {"task": 5},
        {"task": None},
        {"task": ""},
        {"task": "x" * 100_001},
        {"task": "with a \0"},
        {"agent": None},
        {"modelId": "gpt-5.2-codex"},
        {"branch": "main"},
        {"repo": "https://user:secret@git.example.com/x"},
        {"tags": {f"t{n}": "x" for n in range(21)}},
        {"tags": ["a"]},
        {"idempotencyKey": "x" * 129},
        {"idempotencyKey": ""},
        {"priority": "urgent"},
        {"queueTimeoutSeconds": 59},
        {"queueTimeoutSeconds": 86_401},
        {"queueTimeoutSeconds": "60"},
        {"userId": "x" * 129},
    ],
)
def test_a_value_out_of_bounds_is_refused_by_its_field(api, changes):
    answer = api.dispatch(**changes)
    assert (answer.status, paths(answer)) == (400, list(changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"timeoutSeconds": 29}, "must be at least 30"),
        ({"timeoutSeconds": 86_401}, "must be at most 86400"),
        ({"timeoutSeconds": "600"}, "must be a whole number"),
        ({"task": ""}, "must have at least 1 character"),
        ({"task": "x" * 100_001}, "must have at most 100000 characters"),
        ({"userId": 5}, "must be a text"),
        ({"agent": "shel"}, "must be one of claude, codex, gemini, aider, grok, shell"),
        ({"priority": "urgent"}, "must be one of high, normal, low"),
        ({"typo": 1}, "is not known here"),
    ],
)
def test_a_refusal_says_what_would_be_right(api, changes, message):
    assert [error["message"] for error in api.dispatch(**changes).error["details"]["errors"]] == [message]


def test_every_wrong_tag_is_named(api):
    answer = api.dispatch(tags={"a b": "1", "ok": "x" * 257, "c d": 2, "fine": "1"})
    assert sorted(set(paths(answer))) == ["tags.a b", "tags.c d", "tags.ok"]


def test_a_body_in_base64_that_is_no_text_is_malformed(api):
    event = an_api_event("POST", "/dispatch", headers={"Authorization": f"Bearer {api.key}"})
    event |= {"body": base64.b64encode(b'{"agent":"shell","task":"\xff"}').decode(), "isBase64Encoded": True}
    answer = api.functions["dispatch"].handler(event, LambdaContext())
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (400, "MALFORMED_JSON")


def test_a_status_that_no_run_has_yet_matches_nothing(api):
    api.dispatch()
    assert api.get("/runs", query={"status": ["QUEUED"]}).data["runs"] == []
    assert len(api.get("/runs", query={"status": ["PENDING"]}).data["runs"]) == 1


def test_a_missing_field_is_required(api):
    answer = api.call("POST", "/dispatch", function="dispatch", json={})
    assert {(error["path"], error["message"]) for error in answer.error["details"]["errors"]} == {
        ("agent", "is required"),
        ("task", "is required"),
    }


def test_a_refusal_does_not_repeat_what_was_sent(api):
    assert "secret@" not in api.dispatch(repo="https://user:secret@git.example.com/x").text


def test_the_longest_task_arrives_as_it_was_sent(api):
    task = ("\"quotes\" 'and'\r\n{% $states %} ${VAR} `x` \U0001f680\x01\t" * 3000)[:100_000]
    run_id = api.dispatch(task=task).data["runId"]
    run = api.get("/runs/{id}", run_id).data
    assert (run["task"] == task, run["taskTruncated"]) == (True, False)
    listed = api.get("/runs").data["runs"][0]
    assert (listed["task"], listed["taskTruncated"]) == (task[:1000], True)


@pytest.mark.parametrize("body", ["{", "", "[]", "null", '"x"', "{'a': 1}", '{"task": "\\ud800"}', '{"a":1}{}', "NaN"])
def test_a_body_that_is_no_object_is_refused(api, body):
    answer = api.call("POST", "/dispatch", function="dispatch", body=body)
    assert answer.status == 400
    assert answer.error["code"] in {"MALFORMED_JSON", "VALIDATION_ERROR"}


def test_bad_json_says_so(api):
    assert api.call("POST", "/dispatch", function="dispatch", body="{").error["code"] == "MALFORMED_JSON"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_415(api, kind):
    answer = api.dispatch(headers={"Content-Type": kind})
    assert (answer.status, answer.error["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_charset_does_no_harm(api):
    assert api.dispatch(headers={"Content-Type": "Application/JSON; charset=utf-8"}).status == 201


def test_a_body_past_the_bound_is_413(api):
    answer = api.dispatch(task="x" * (2 * 1024 * 1024))
    assert (answer.status, answer.error["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_a_query_that_means_nothing_is_refused_before_anything_is_started(api):
    body = json.dumps({"agent": "shell", "task": "x"})
    answer = api.call("POST", "/dispatch", function="dispatch", body=body, query={"dryRun": ["true"]})
    assert (answer.status, paths(answer)) == (400, ["dryRun"])
    assert api.get("/runs").data["runs"] == []


def test_a_replay_is_200_and_says_so(api):
    first = api.dispatch(idempotencyKey="k")
    again = api.dispatch(headers={"Idempotency-Key": "k"})
    assert (first.status, again.status) == (201, 200)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.data == first.data


def test_the_order_of_tags_and_a_default_spelled_out_make_no_other_request(api):
    api.dispatch(idempotencyKey="k", tags={"a": "1", "b": "2"})
    again = api.dispatch(idempotencyKey="k", tags={"b": "2", "a": "1"}, timeoutSeconds=600, repo=None)
    assert again.status == 200


def test_the_same_key_with_another_body_is_409(api):
    api.dispatch(idempotencyKey="k")
    answer = api.dispatch(idempotencyKey="k", task="echo other")
    assert (answer.status, answer.error["code"]) == (409, "IDEMPOTENCY_CONFLICT")


def test_an_idempotency_key_is_its_tenants_own(make_api):
    first = make_api().dispatch(idempotencyKey="k")
    second = make_api().dispatch(idempotencyKey="k")
    assert (first.status, second.status) == (201, 201)


def test_body_and_header_must_agree_on_the_key(api):
    answer = api.dispatch(idempotencyKey="k", headers={"Idempotency-Key": "other"})
    assert (answer.status, paths(answer)) == (400, ["idempotencyKey"])


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"context": "full"}, "context"),
        ({"budget": {"maxCostUsd": 1}}, "budget"),
        ({"budget": {"maxCostUsd": 0}}, "budget.maxCostUsd"),
        ({"budget": {"maxTokens": 0}}, "budget.maxTokens"),
        ({"budget": {"tokens": 1}}, "budget.tokens"),
        ({"resources": {"cpuUnits": 1_000}}, "resources"),
        ({"resources": {"memoryMb": 700}}, "resources"),
        ({"resources": {"diskGb": 20}}, "resources"),
        ({"secrets": ["NPM_TOKEN"]}, "secrets.0"),
        ({"secrets": ["A", "A"]}, "secrets"),
        ({"agent": "claude", "context": "most"}, "context"),
    ],
)
def test_what_a_run_cannot_have_is_refused_by_its_place(api, changes, path):
    answer = api.dispatch(**changes)
    assert (answer.status, answer.error["code"]) == (400, "VALIDATION_ERROR")
    assert [error["path"] for error in answer.error["details"]["errors"]] == [path]


def test_a_run_is_as_large_as_its_models_tier_says_unless_it_asks(api):
    usual = api.get(f"/runs/{api.dispatch(agent='claude', modelId='fast').data['runId']}").data
    asked = api.get(f"/runs/{api.dispatch(agent='claude', resources={'cpuUnits': 4_096}).data['runId']}").data
    assert usual["resources"] == {"cpuUnits": 512, "memoryMb": 2_048, "diskGb": 21}
    assert asked["resources"] == {"cpuUnits": 4_096, "memoryMb": 8_192, "diskGb": 21}


def test_a_run_has_its_plans_budget_unless_it_asks_for_less(api):
    usual = api.get(f"/runs/{api.dispatch(agent='claude').data['runId']}").data
    asked = api.get(f"/runs/{api.dispatch(agent='claude', budget={'maxCostUsd': 2.5, 'maxTokens': 9}).data['runId']}")
    assert usual["budget"] == {"maxCostUsd": 10.0, "maxTokens": None}
    assert asked.data["budget"] == {"maxCostUsd": 2.5, "maxTokens": 9}


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer otp_" + "0" * 64},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "", "X-API-Key": "otp_" + "0" * 64},
    ],
)
def test_every_bad_credential_gets_the_same_401(api, headers):
    answer = api.get("/runs", headers=headers)
    assert answer.status == 401
    assert answer.error == api.get("/runs", headers={"Authorization": ""}).error


def test_a_key_may_come_in_its_own_header(api):
    assert api.get("/runs", headers={"Authorization": "", "x-api-key": api.key}).status == 200


def test_bearer_wins(api):
    answer = api.get("/runs", headers={"Authorization": "Bearer otp_" + "0" * 64, "X-API-Key": api.key})
    assert answer.status == 401


def test_another_tenants_name_is_403(api):
    assert api.get("/runs", headers={"X-Tenant-ID": api.tenant_id}).status == 200
    answer = api.get("/runs", headers={"X-Tenant-ID": "other"})
    assert (answer.status, answer.error["code"]) == (403, "TENANT_MISMATCH")


def test_a_missing_scope_is_named(api, api_deployment):
    table = api_deployment.settings.api_keys_table
    key = {"key_hash": {"S": hash_secret(api.key)}}
    api_deployment.dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET scopes = :s",
        ExpressionAttributeValues={":s": {"L": [{"S": "status"}]}},
    )
    answer = api.dispatch()
    assert (answer.status, answer.error["code"]) == (403, "AUTHORIZATION_ERROR")
    assert answer.error["details"] == {"scope": "dispatch"}
    assert api.get("/runs").status == 200


@pytest.mark.parametrize("run_id", STRANGERS)
@pytest.mark.parametrize("resource", OF_ONE_RUN)
def test_an_id_that_is_no_run_is_404(api, resource, run_id):
    answer = api.get(resource, run_id)
    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("resource", OF_ONE_RUN)
def test_a_strangers_run_is_the_same_404_as_no_run(make_api, resource):
    theirs = make_api().dispatch().data["runId"]
    mine = make_api()
    foreign, unknown = mine.get(resource, theirs), mine.get(resource, STRANGERS[0])
    assert foreign.status == 404
    assert foreign.error == unknown.error


def test_a_strangers_run_cannot_be_cancelled(make_api):
    owner = make_api()
    run_id = owner.dispatch().data["runId"]
    assert make_api().cancel(run_id).status == 404
    assert owner.get("/runs/{id}", run_id).data["status"] == "PENDING"


def test_a_cancel_is_202_and_again_the_same(api):
    run_id = api.dispatch().data["runId"]
    first, again = api.cancel(run_id, json={"reason": "enough"}), api.cancel(run_id)
    deleted = api.call("DELETE", "/dispatch/{id}", function="dispatch", path_id=run_id)
    assert (first.status, again.status, deleted.status) == (202, 202, 202)
    assert first.data == again.data == deleted.data
    assert (first.data["status"], first.data["reason"]) == ("CANCELLING", "enough")
    assert api.get("/runs/{id}", run_id).data["status"] == "CANCELLING"


def test_a_cancel_with_an_unknown_field_is_400(api):
    run_id = api.dispatch().data["runId"]
    assert paths(api.cancel(run_id, json={"raison": "x"})) == ["raison"]


def test_runs_are_listed_newest_first_over_pages(api):
    made = [api.dispatch().data["runId"] for _ in range(5)]
    first = api.get("/runs", query={"limit": ["3"]})
    page = first.body["meta"]["pagination"]
    second = api.get("/runs", query={"limit": ["3"], "cursor": [page["nextCursor"]]})
    assert page["hasMore"]
    assert [run["runId"] for answer in (first, second) for run in answer.data["runs"]] == sorted(made, reverse=True)
    assert second.body["meta"]["pagination"] == {"nextCursor": None, "hasMore": False, "limit": 3}


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"limit": ["0"]}, "limit"),
        ({"limit": ["101"]}, "limit"),
        ({"limit": ["x"]}, "limit"),
        ({"limit": ["1", "2"]}, "limit"),
        ({"status": ["running"]}, "status"),
        ({"tag": ["nocolon"]}, "tag"),
        ({"since": ["yesterday"]}, "since"),
        ({"since": ["2030-01-01T00:00:00"]}, "since"),
        ({"until": ["0001-01-01T00:00:00Z"]}, "until"),
        ({"page": ["2"]}, "page"),
        ({"since": ["1970-01-01T00:00:00+14:00"]}, "since"),
        ({"since": ["1893456000"]}, "since"),
        ({"since": ["2030-01-02T00:00:00Z"], "until": ["2030-01-01T00:00:00Z"]}, "until"),
        ({"tag": ["a:1", "a:2"]}, "tag"),
        ({"limit": ["1_0"]}, "limit"),
    ],
)
def test_a_wrong_filter_is_named(api, query, wrong):
    answer = api.get("/runs", query=query)
    assert (answer.status, paths(answer)) == (400, [wrong])


def test_a_cursor_is_bound_to_its_filter_tenant_and_list(make_api):
    api = make_api()
    run_id = api.dispatch().data["runId"]
    api.dispatch()
    cursor = api.get("/runs", query={"limit": ["1"]}).body["meta"]["pagination"]["nextCursor"]
    asked = [
        api.get("/runs", query={"cursor": [cursor], "agent": ["shell"]}),
        api.get("/runs/{id}/logs", run_id, query={"cursor": [cursor]}),
        make_api().get("/runs", query={"cursor": [cursor]}),
        api.get("/runs", query={"cursor": ["nonsense"]}),
        api.get("/runs", query={"cursor": [""]}),
    ]
    assert Counter((answer.status, answer.error["code"]) for answer in asked) == {(400, "INVALID_CURSOR"): 5}


def test_a_run_without_patch_says_so(api):
    answer = api.get("/runs/{id}/patch", api.dispatch().data["runId"])
    assert (answer.status, answer.error["message"]) == (404, "The run has no patch.")


def test_a_run_explains_itself(api):
    run_id = api.dispatch().data["runId"]
    explained = api.get("/runs/{id}/explain", run_id).data
    assert explained["summary"].startswith("Attempt 1 of 3 has waited")
    assert [cause["message"] for cause in explained["causes"]] == ["The dispatch was accepted."]
    assert explained["lines"] == []


def test_a_run_without_files_has_an_empty_list(api):
    assert api.get("/runs/{id}/artifacts", api.dispatch().data["runId"]).data == {"artifacts": []}


def test_the_fleet_names_the_six_agents(api):
    fleet = api.get("/fleet").data
    assert [agent["agent"] for agent in fleet["agents"]] == ["claude", "codex", "gemini", "aider", "grok", "shell"]
    assert {"agent", "available", "modelId", "breaker"} <= fleet["agents"][0].keys()
    assert fleet["agents"][-1]["breaker"] == {"state": "closed", "failures": 0, "retryAfterSeconds": None}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/health/live", {"status": "ok"}),
        ("/version", {"version": "1.2.3", "gitSha": "0" * 40, "buildTime": "2030-01-01T00:00:00Z"}),
    ],
)
def test_bare_answers_have_no_envelope(api, path, expected):
    answer = api.call("GET", path, function="health", headers={"Authorization": ""})
    assert (answer.status, answer.body) == (200, expected)


@pytest.mark.parametrize("path", ["/", "/health", "/health/ready"])
def test_health_needs_no_key(api, path):
    answer = api.call("GET", path, function="health", headers={"Authorization": ""})
    assert answer.status == 200
    assert "success" not in answer.body


def test_fleet_health_is_at_the_top_level(api):
    answer = api.call("GET", "/health/fleet", function="health", headers={"Authorization": ""})
    assert (answer.body["healthy"], answer.body["success"]) == (True, True)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/dispatch", "POST"),
        ("POST", "/runs/{id}", "GET"),
        ("GET", "/runner/claim", "POST"),
        ("PATCH", "/dispatch/{id}", "DELETE, GET"),
        ("POST", "/kill-switch", "GET, PUT, DELETE"),
        ("PUT", "/keys", "GET, POST"),
        ("GET", "/auth/token", "POST"),
        ("DELETE", "/keys/{id}/rotate", "POST"),
    ],
)
def test_a_wrong_method_is_405_with_allow(api, method, path, allowed):
    answer = api.call(method, path, function="health", path_id="x")
    assert (answer.status, answer.error["code"], answer.headers["Allow"]) == (405, "METHOD_NOT_ALLOWED", allowed)


def test_an_unknown_route_is_404(api):
    answer = api.call("GET", "/nothing/here", function="health")
    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")


def test_every_error_has_a_remedy_and_says_whether_to_try_again(api):
    answers = [api.dispatch(agent="x"), api.get("/runs/{id}", "x"), api.call("GET", "/x", function="health")]
    assert all({"code", "message", "remedy", "retryable"} <= answer.error.keys() for answer in answers)
    assert all(answer.error["remedy"] for answer in answers)


def test_handlers_are_thin():
    modules = [ast.parse(path.read_text()) for path in (ROOT / "functions").glob("*/app.py")]
    functions = [node for module in modules for node in module.body if isinstance(node, ast.FunctionDef)]
    assert max(node.end_lineno - node.lineno for node in functions) < 30
