"""Batches over HTTP: one task for several agents, side by side, and one of them promoted."""

from dataclasses import replace

import pytest

from .runners import work

REPO = {"repo": "acme/app"}
TWO = [{"agent": "shell"}, {"agent": "shell"}]
CODEX = {"agent": "codex"}


def post_batch(api, agents=TWO, **changes):
    request = {"headers": changes.pop("headers")} if "headers" in changes else {}
    body = {"agents": agents, "task": "echo hello"} | REPO | changes
    return api.call("POST", "/batches", function="dispatch", json=body, **request)


def show(api, batch_id):
    return api.get("/batches/{id}", batch_id)


def promote(api, batch_id, run_id, **wish):
    body = {"runId": run_id} | wish
    return api.call("POST", "/batches/{id}/promote", function="dispatch", path_id=batch_id, json=body)


def runs_of(answer):
    return [run["runId"] for run in answer.data["runs"]]


def paths_of(answer):
    return answer.status, [each["path"] for each in answer.error["details"]["errors"]]


def with_scopes(api, *scopes):
    """The API in the hands of a key with the scopes."""
    wish = {"name": "another", "scopes": list(scopes)}
    return replace(api, key=api.call("POST", "/keys", function="account", json=wish).data["apiKey"])


@pytest.fixture
def batch(api):
    """A batch of three, the first of which has done its work."""
    made = post_batch(api, TWO + TWO[:1])
    work(api, runs_of(made)[0])
    return made


def test_each_agent_gets_a_run(api):
    answer = post_batch(api)
    batch_id = answer.data["batchId"]
    first, second = runs_of(answer)
    assert answer.status == 201
    assert answer.headers["Location"] == f"https://api.example.com/dev/batches/{batch_id}"
    assert answer.data["runs"][0] == {"runId": first, "agent": "shell", "modelId": "none", "status": "PENDING"}
    assert {api.get("/runs/{id}", run_id).data["batchId"] for run_id in (first, second)} == {batch_id}
    listed = api.get("/runs", query={"batch": [batch_id]}).data["runs"]
    assert [run["runId"] for run in listed] == [second, first]


def test_the_runs_of_a_batch_are_shown_side_by_side(api, batch):
    first, second, third = runs_of(batch)
    shown = show(api, batch.data["batchId"]).data
    assert (shown["batchId"], shown["task"], shown["promotedRunId"]) == (batch.data["batchId"], "echo hello", None)
    assert [run["runId"] for run in shown["runs"]] == [first, second, third]
    assert [run["status"] for run in shown["runs"]] == ["COMPLETED", "PENDING", "PENDING"]
    assert (shown["runs"][0]["filesChanged"], shown["runs"][0]["promotion"]) == (1, None)


def test_an_agent_that_is_refused_has_an_error_in_place_of_a_run(make_api):
    api = make_api(plan={"agents": ["shell"]})
    answer = post_batch(api, [*TWO[:1], CODEX])
    refused = answer.data["runs"][1]
    assert answer.status == 201
    assert (refused["runId"], refused["agent"], refused["status"]) == (None, "codex", None)
    assert refused["error"]["code"] == "POLICY_DENIED"
    assert show(api, answer.data["batchId"]).data["runs"][1] == refused


def test_where_the_first_is_refused_nothing_is_made(make_api):
    api = make_api(plan={"agents": ["shell"]})
    answer = post_batch(api, [CODEX, *TWO])
    assert (answer.status, answer.error["code"]) == (403, "POLICY_DENIED")
    assert api.get("/runs").data["runs"] == []


def test_the_same_key_gives_the_same_batch(api):
    first = post_batch(api, idempotencyKey="once")
    again = post_batch(api, headers={"Idempotency-Key": "once"})
    assert (again.status, again.headers["Idempotent-Replay"]) == (200, "true")
    assert again.data == first.data
    assert again.headers["Location"] == first.headers["Location"]


@pytest.mark.parametrize(
    "other",
    [
        {"task": "another"},
        {"agents": [*TWO, *TWO[:1]]},
        {"agents": [TWO[0], CODEX]},
        {"tags": {"a": "b"}},
    ],
    ids=["task", "one more agent", "another agent", "tags"],
)
def test_the_same_key_for_another_batch_is_a_conflict(api, other):
    post_batch(api, [{"agent": "shell"}, {"agent": "shell"}], idempotencyKey="once")
    answer = post_batch(api, idempotencyKey="once", **{"agents": TWO} | other)
    assert (answer.status, answer.error["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert len(api.get("/runs").data["runs"]) == 2


def test_a_dispatch_with_the_key_of_an_entry_is_another_request(api):
    api.dispatch(**REPO, idempotencyKey="once/0")
    assert post_batch(api, idempotencyKey="once").status == 409


@pytest.mark.parametrize("length", [1, 128])
def test_a_key_of_any_length_that_a_dispatch_takes_is_taken(api, length):
    assert post_batch(api, idempotencyKey="k" * length).status == 201
    assert post_batch(api, idempotencyKey="k" * length).status == 200


def test_a_shared_budget_is_divided(api):
    shared = {"maxCostUsd": 1.0, "maxTokens": 1_000}
    made = post_batch(api, [CODEX, CODEX, CODEX], sharedBudget=shared)
    budgets = [api.get("/runs/{id}", run_id).data["budget"] for run_id in runs_of(made)]
    assert budgets == [{"maxCostUsd": 0.333333, "maxTokens": 333}] * 3


@pytest.mark.parametrize("cost", [0.000003, 0.00002, 0.01, 0.1, 2 / 3, 10])
def test_the_shares_never_come_to_more_than_the_whole(api, cost):
    made = post_batch(api, [CODEX] * 3, sharedBudget={"maxCostUsd": cost})
    shares = [api.get("/runs/{id}", run_id).data["budget"]["maxCostUsd"] for run_id in runs_of(made)]
    assert round(sum(shares) * 1e6) <= round(cost * 1e6)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"agents": TWO[:1]}, "agents"),
        ({"agents": TWO * 6}, "agents"),
        ({"agents": [TWO[0], {"agent": "x"}]}, "agents.1.agent"),
        ({"agents": [TWO[0], {"agent": "shell", "modelId": "x"}]}, "agents.1.modelId"),
        ({"agents": [TWO[0], {"agent": "shell", "task": "x"}]}, "agents.1.task"),
        ({"agent": "shell"}, "agent"),
        ({"modelId": "none"}, "modelId"),
        ({"workspaceId": "w"}, "workspaceId"),
        ({"promote": {"when": "success"}}, "promote"),
        ({"task": " "}, "task"),
        ({"idempotencyKey": "k" * 129}, "idempotencyKey"),
        ({"agents": [CODEX] * 2, "sharedBudget": {"maxTokens": 1}}, "sharedBudget.maxTokens"),
        ({"agents": [CODEX] * 2, "sharedBudget": {"maxCostUsd": 0.000001}}, "sharedBudget.maxCostUsd"),
        ({"agents": [CODEX] * 2, "sharedBudget": {"maxCostUsd": 0}}, "sharedBudget.maxCostUsd"),
        ({"agents": [CODEX] * 2, "sharedBudget": {"maxTokens": 9}, "budget": {"maxTokens": 5}}, "sharedBudget"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_batch_is_checked_and_nothing_is_made(api, changes, path):
    assert paths_of(post_batch(api, **changes)) == (400, [path])
    assert api.get("/runs").data["runs"] == []


def test_everything_wrong_with_a_batch_is_named_at_once_and_where_it_is(api):
    agents = [{"agent": "x"}, {"agent": "shell", "modelId": "y"}]
    assert paths_of(post_batch(api, agents, task=" ")) == (400, ["agents.0.agent", "task", "agents.1.modelId"])


def test_one_run_is_promoted_and_the_others_are_cancelled(api, batch):
    first, second, third = runs_of(batch)
    answer = promote(api, batch.data["batchId"], first, branch="fix/login")
    assert (answer.status, answer.data["batchId"]) == (202, batch.data["batchId"])
    assert (answer.data["promotion"]["runId"], answer.data["promotion"]["branch"]) == (first, "fix/login")
    assert answer.data["cancelled"] == [second, third]
    assert {api.get("/runs/{id}", run_id).data["cancelRequestedAt"] is None for run_id in (second, third)} == {False}


def test_a_promotion_that_is_refused_leaves_the_batch_free_for_another(api):
    made = post_batch(api, branch="main")
    for run_id in runs_of(made):
        work(api, run_id)
    first, second = runs_of(made)
    refused = promote(api, made.data["batchId"], first, branch="main")
    assert (refused.status, promote(api, made.data["batchId"], second).status) == (400, 202)


def test_the_promotion_is_shown_with_its_run(api, batch):
    first = runs_of(batch)[0]
    promotion = promote(api, batch.data["batchId"], first).data["promotion"]
    shown = show(api, batch.data["batchId"]).data
    assert shown["promotedRunId"] == first
    assert [run["promotion"] for run in shown["runs"]] == [promotion, None, None]


def test_a_promotion_of_a_run_by_itself_is_shown_too(api, batch):
    first = runs_of(batch)[0]
    made = api.call("POST", "/runs/{id}/promote", function="dispatch", path_id=first, json={}).data
    shown = show(api, batch.data["batchId"]).data
    assert (shown["promotedRunId"], shown["runs"][0]["promotion"]) == (None, made)


def test_promoted_again_it_is_the_same(api, batch):
    first = runs_of(batch)[0]
    promotion = promote(api, batch.data["batchId"], first).data["promotion"]
    again = promote(api, batch.data["batchId"], first, branch="another")
    assert (again.status, again.data["promotion"]) == (202, promotion)


def test_a_second_run_is_refused_and_told_the_first(api):
    made = post_batch(api)
    first, second = runs_of(made)
    work(api, first)
    work(api, second)
    promote(api, made.data["batchId"], first)
    answer = promote(api, made.data["batchId"], second)
    assert (answer.status, answer.error["code"]) == (409, "CONFLICT")
    assert answer.error["details"] == {"runId": first}
    assert api.get("/runs/{id}/promotion", second).status == 404


def test_a_run_that_is_refused_leaves_the_batch_to_another(api, batch):
    first, second, _ = runs_of(batch)
    refused = promote(api, batch.data["batchId"], second)
    assert (refused.status, refused.error["details"]) == (409, {"status": "PENDING"})
    api.call("PUT", "/kill-switch", function="account", json={"reason": "a drill"})
    assert promote(api, batch.data["batchId"], first).error["code"] == "KILL_SWITCH_ON"
    api.call("DELETE", "/kill-switch", function="account")
    assert show(api, batch.data["batchId"]).data["promotedRunId"] is None
    assert promote(api, batch.data["batchId"], first).status == 202


def test_a_run_of_no_batch_is_not_found_there(api, batch):
    alone = api.dispatch(**REPO).data["runId"]
    work(api, alone)
    assert promote(api, batch.data["batchId"], alone).status == 404
    assert show(api, batch.data["batchId"]).data["promotedRunId"] is None


def test_nobodys_batch_is_not_found(api, batch):
    answers = [show(api, "nobodys"), promote(api, "nobodys", runs_of(batch)[0])]
    assert [(answer.status, answer.error["code"]) for answer in answers] == [(404, "NOT_FOUND")] * 2


def test_anothers_batch_is_nobodys(make_api, batch):
    stranger = make_api()
    run_id = runs_of(batch)[0]
    answers = [show(stranger, batch.data["batchId"]), promote(stranger, batch.data["batchId"], run_id)]
    nobodys = [show(stranger, "nobodys"), promote(stranger, "nobodys", run_id)]
    assert [answer.status for answer in answers] == [404, 404]
    assert [answer.error for answer in answers] == [answer.error for answer in nobodys]


def test_each_route_needs_its_scope(api, batch):
    batch_id, first = batch.data["batchId"], runs_of(batch)[0]
    reader, dispatcher = with_scopes(api, "status"), with_scopes(api, "dispatch")
    refused = [post_batch(reader), show(dispatcher, batch_id), promote(dispatcher, batch_id, first)]
    assert [answer.status for answer in refused] == [403, 403, 403]
    assert post_batch(dispatcher).status == 201
    assert promote(with_scopes(api, "promote"), batch_id, first).status == 202
