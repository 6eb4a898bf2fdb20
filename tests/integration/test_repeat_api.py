"""Reruns and follow-ups through the functions: what is sent is laid over what was asked for, and checked as a whole."""

import pytest
from functions import Api

from .runners import BASE, KEPT, PATCH, TREE, claim, work

NOBODYS_ID = "01Q3ENHRG0NNNNNNNNNNNNNNNN"
ASKED = {
    "agent": "claude",
    "task": "fix it",
    "modelId": "claude-haiku-4-5-20251001",
    "repo": "acme/site",
    "branch": "main",
    "context": "minimal",
    "resources": {"cpuUnits": 1_024, "memoryMb": 3_072, "diskGb": 30},
    "budget": {"maxCostUsd": 2.5, "maxTokens": 1_000},
    "timeoutSeconds": 900,
    "queueTimeoutSeconds": 120,
    "priority": "high",
    "tags": {"team": "core"},
    "userId": "somebody",
    "check": "make test",
}
# What a run shows of what it was asked for.
SHOWN = {name: value for name, value in ASKED.items() if name not in ("userId", "check")}


def rerun(api, run_id, headers=None, **changes):
    request = {"json": changes, "headers": headers or {}}
    return api.call("POST", "/runs/{id}/rerun", function="dispatch", path_id=run_id, **request)


def follow_up(api, run_id, headers=None, **changes):
    request = {"json": {"task": "go on"} | changes, "headers": headers or {}}
    return api.call("POST", "/runs/{id}/follow-up", function="dispatch", path_id=run_id, **request)


REPEATS = pytest.mark.parametrize("repeat", [rerun, follow_up])


def run_of(api, answer):
    """The run that the answer is of."""
    assert answer.status == 201, answer.text
    return api.get("/runs/{id}", answer.data["runId"]).data


def done(api, **changes):
    """The id of a run that has ended with a patch."""
    run_id = api.dispatch(**({"repo": "acme/site", "branch": "main"} | changes)).data["runId"]
    work(api, run_id)
    return run_id


def in_workspace(api, **changes):
    """The run that has ended and left its tree in a workspace."""
    asked = {"workspaceMode": "persistent", "repo": "acme/site", "branch": "main"} | changes
    run_id = api.dispatch(**asked).data["runId"]
    work(api, run_id, uploads=[PATCH, TREE], workspace=KEPT)
    return api.get("/runs/{id}", run_id).data


def paths(answer):
    return sorted(error["path"] for error in answer.error["details"]["errors"])


def chosen(run, *names):
    return {name: run[name] for name in names}


def test_a_rerun_asks_for_all_that_the_run_was_asked_for(api):
    run_id = api.dispatch(**ASKED).data["runId"]
    run = run_of(api, rerun(api, run_id))
    assert chosen(run, *SHOWN) == SHOWN
    assert (run["requestedBy"], run["check"]["command"]) == ("somebody", "make test")
    assert (run["parentRunId"], run["parentKind"]) == (run_id, "rerun")


def test_a_rerun_needs_no_body(api):
    run_id = done(api)
    answer = api.call("POST", "/runs/{id}/rerun", function="dispatch", path_id=run_id)
    assert answer.status == 201
    assert answer.headers["Location"].endswith(f"/runs/{answer.data['runId']}")


def test_what_is_sent_is_laid_over_it(api):
    run_id = api.dispatch(**ASKED).data["runId"]
    sent = {"task": "fix it otherwise", "timeoutSeconds": 60, "tags": {"try": "2"}, "priority": "low"}
    run = run_of(api, rerun(api, run_id, **sent))
    assert chosen(run, *SHOWN) == SHOWN | sent


def test_what_is_sent_as_null_is_taken_away(api):
    run_id = api.dispatch(**ASKED).data["runId"]
    run = run_of(api, rerun(api, run_id, check=None, userId=None))
    assert (run["check"], run["requestedBy"]) == (None, None)


def test_a_long_task_is_asked_for_whole(api):
    task = "я" * 20_000
    run_id = api.dispatch(task=task).data["runId"]
    assert run_of(api, rerun(api, run_id))["task"] == task


def test_another_agent_has_a_model_and_a_size_of_its_own(api):
    run_id = api.dispatch(**ASKED).data["runId"]
    run = run_of(api, rerun(api, run_id, agent="codex"))
    assert (run["modelId"], run["context"]) == ("gpt-5.2-codex", "minimal")
    assert run["resources"] == {"cpuUnits": 2_048, "memoryMb": 8_192, "diskGb": 21}
    assert run["budget"] == ASKED["budget"]


def test_another_model_has_a_size_of_its_own(api):
    run_id = api.dispatch(**ASKED).data["runId"]
    run = run_of(api, rerun(api, run_id, modelId="flagship"))
    assert run["modelId"] == "claude-opus-4-5-20251101"
    assert run["resources"] == {"cpuUnits": 2_048, "memoryMb": 8_192, "diskGb": 21}


def test_an_agent_without_a_model_has_neither_budget_nor_context(api):
    run_id = api.dispatch(**ASKED).data["runId"]
    run = run_of(api, rerun(api, run_id, agent="shell"))
    assert (run["context"], run["budget"]) == ("off", {"maxCostUsd": None, "maxTokens": None})


def test_an_agent_with_a_model_in_place_of_one_without_has_the_usual_context(api):
    run = run_of(api, rerun(api, api.dispatch().data["runId"], agent="claude"))
    assert (run["context"], run["modelId"]) == ("standard", "claude-opus-4-5-20251101")


def test_a_budget_that_nobody_asked_for_is_what_is_allowed_by_now(make_api):
    api = make_api(plan={"runBudgetUsd": 5})
    run_id = api.dispatch(agent="claude").data["runId"]
    wish = {"name": "smaller", "scopes": ["dispatch", "status"], "runBudgetUsd": 1}
    smaller = Api(api.tenant_id, api.call("POST", "/keys", function="account", json=wish).data["apiKey"], api.functions)
    assert run_of(smaller, rerun(smaller, run_id))["budget"]["maxCostUsd"] == 1


def test_a_budget_of_nothing_is_repeated_as_such(make_api):
    api = make_api(plan={"runBudgetUsd": 0})
    run_id = api.dispatch(agent="claude").data["runId"]
    assert run_of(api, rerun(api, run_id))["budget"]["maxCostUsd"] == 0


def test_a_rerun_begins_with_the_commit_of_the_run(api):
    again = rerun(api, done(api)).data["runId"]
    assert claim(api, again).claimed["run"]["repo"]["commit"] == BASE


@pytest.mark.parametrize("sent", [{"repo": "acme/site"}, {"branch": "other"}, {"repo": "acme/other", "branch": "b"}])
def test_a_rerun_elsewhere_begins_where_the_branch_is_then(api, sent):
    again = rerun(api, done(api), **sent).data["runId"]
    assert claim(api, again).claimed["run"]["repo"]["commit"] is None


def test_a_rerun_has_no_workspace_and_promotes_nothing_unless_asked(api):
    run = run_of(api, rerun(api, in_workspace(api, promote={"when": "success"})["runId"]))
    work(api, run["runId"])
    assert (run["workspaceMode"], run["workspaceId"]) == ("ephemeral", None)
    assert api.get("/runs/{id}", run["runId"]).data["promotion"] is None


def test_a_rerun_can_be_asked_to_make_a_workspace(api):
    assert run_of(api, rerun(api, done(api), workspaceMode="persistent"))["workspaceId"] is not None


def test_a_rerun_in_no_workspace_is_of_the_same_repository(api):
    run = run_of(api, rerun(api, done(api), workspaceId=None))
    assert (run["repo"], run["branch"], run["workspaceId"]) == ("acme/site", "main", None)


def test_a_rerun_in_a_workspace_has_that_ones_repository(api):
    workspace_id = in_workspace(api, repo="acme/other", branch=None)["workspaceId"]
    run = run_of(api, rerun(api, done(api), workspaceId=workspace_id))
    assert (run["repo"], run["branch"], run["workspaceId"]) == ("acme/other", None, workspace_id)


def test_a_rerun_of_a_follow_up_begins_with_what_was_followed_up(api):
    first = done(api)
    second = follow_up(api, first).data["runId"]
    work(api, second)
    of_run = claim(api, rerun(api, second).data["runId"]).claimed["run"]
    assert f"/{first}/1/patch/changes.patch" in of_run["patch"]["url"]
    assert (of_run["repo"]["commit"], of_run["background"], of_run["task"]) == (BASE, "did it", "go on")


def test_a_rerun_of_a_follow_up_in_a_workspace_begins_with_the_same_work(api):
    first = in_workspace(api)
    second = follow_up(api, first["runId"]).data["runId"]
    work(api, second)
    of_run = claim(api, rerun(api, second).data["runId"]).claimed["run"]
    assert f"/{first['runId']}/1/patch/changes.patch" in of_run["patch"]["url"]
    assert of_run["workspace"] is None


def test_a_run_at_work_can_be_rerun(api):
    assert rerun(api, api.dispatch().data["runId"]).status == 201


def test_a_follow_up_begins_with_commit_patch_and_word_of_the_run(api):
    run_id = done(api)
    run = run_of(api, follow_up(api, run_id))
    of_run = claim(api, run["runId"]).claimed["run"]
    assert (run["parentRunId"], run["parentKind"], run["task"]) == (run_id, "follow-up", "go on")
    assert (run["repo"], run["branch"]) == ("acme/site", "main")
    assert (of_run["repo"]["commit"], of_run["background"]) == (BASE, "did it")
    assert f"runs/{api.tenant_id}/{run_id}/1/patch/changes.patch" in of_run["patch"]["url"]
    assert (of_run["patch"]["sha256"], of_run["patch"]["sizeBytes"]) == (PATCH["sha256"], PATCH["sizeBytes"])


def test_a_follow_up_goes_on_in_the_workspace(api):
    first = in_workspace(api)
    run = run_of(api, follow_up(api, first["runId"]))
    of_run = claim(api, run["runId"]).claimed["run"]
    assert (run["workspaceId"], run["repo"], run["branch"]) == (first["workspaceId"], "acme/site", "main")
    assert first["runId"] in of_run["workspace"]["snapshot"]["url"]
    assert of_run["background"] == "did it"


def test_a_second_follow_up_does_without_the_workspace_that_the_first_has(api):
    first = in_workspace(api)
    follow_up(api, first["runId"])
    run = run_of(api, follow_up(api, first["runId"], task="go on otherwise"))
    assert (run["workspaceId"], run["repo"], run["branch"]) == (None, "acme/site", "main")
    assert claim(api, run["runId"]).claimed["run"]["patch"] is not None


def test_a_follow_up_needs_a_task(api):
    run_id = done(api)
    answer = api.call("POST", "/runs/{id}/follow-up", function="dispatch", path_id=run_id, json={})
    assert (answer.status, paths(answer)) == (400, ["task"])


def test_every_wrong_field_of_a_follow_up_is_named_at_once(api):
    wrong = {"repo": "a/b", "branch": "b", "workspaceMode": "persistent", "workspaceId": "w"}
    answer = follow_up(api, done(api), task=" ", tsak="typo", timeoutSeconds=1, **wrong)
    assert (answer.status, paths(answer)) == (400, sorted([*wrong, "task", "timeoutSeconds", "tsak"]))


def test_every_wrong_field_of_a_rerun_is_named_at_once(api):
    answer = rerun(api, done(api), tsak="typo", task="", agent="clod", repo="x", budget={"maxCostUsd": -1})
    assert (answer.status, paths(answer)) == (400, ["agent", "budget.maxCostUsd", "repo", "task", "tsak"])


@REPEATS
@pytest.mark.parametrize("name", ["runId", "origin", "parentRunId", "commit", "patch", "model_id", "tenantId"])
def test_an_unknown_field_is_refused_by_its_name(api, repeat, name):
    answer = repeat(api, done(api), **{name: "x"})
    assert (answer.status, paths(answer)) == (400, [name])


@REPEATS
@pytest.mark.parametrize("body", ["[]", '"a"', "nonsense", "1", "null"])
def test_what_is_no_object_is_refused(api, repeat, body):
    path = f"/runs/{{id}}/{repeat.__name__.replace('_', '-')}"
    answer = api.call("POST", path, function="dispatch", path_id=done(api), body=body)
    assert answer.status == 400


@REPEATS
@pytest.mark.parametrize("agent", [5, None, [], {}, "nobody"])
def test_an_agent_that_is_none_is_a_wrong_field(api, repeat, agent):
    answer = repeat(api, done(api), agent=agent)
    assert (answer.status, paths(answer)) == (400, ["agent"])


@REPEATS
def test_nobodys_run_is_not_found(api, repeat):
    assert repeat(api, NOBODYS_ID).status == 404


@REPEATS
def test_anothers_run_is_nobodys(api, make_api, repeat):
    assert repeat(make_api(), done(api)).status == 404


@REPEATS
def test_the_scope_dispatch_is_needed(api, repeat):
    run_id = done(api)
    made = api.call("POST", "/keys", function="account", json={"name": "reader", "scopes": ["status"]})
    answer = repeat(api, run_id, headers={"Authorization": f"Bearer {made.data['apiKey']}"})
    assert (answer.status, answer.error["details"]) == (403, {"scope": "dispatch"})


def test_a_run_at_work_cannot_be_followed_up(api):
    answer = follow_up(api, api.dispatch().data["runId"])
    assert (answer.status, answer.error["code"], answer.error["details"]) == (409, "CONFLICT", {"status": "PENDING"})


def test_work_whose_patch_was_not_kept_cannot_be_followed_up(api):
    run_id = api.dispatch(repo="acme/site").data["runId"]
    work(api, run_id, uploads=[])
    answer = follow_up(api, run_id)
    assert (answer.status, answer.error["code"]) == (409, "CONFLICT")
    assert answer.error["details"] == {"reason": "the run changed files, and its patch is not kept"}


def test_the_plan_is_asked_as_for_any_dispatch(make_api):
    api = make_api(plan={"dispatches": 1})
    answer = rerun(api, api.dispatch().data["runId"])
    assert (answer.status, answer.error["details"]["dimension"]) == (429, "dispatches")


@REPEATS
def test_the_same_request_again_is_the_same_run(api, repeat):
    run_id = done(api)
    first, again = (repeat(api, run_id, idempotencyKey="once") for _ in range(2))
    assert (first.status, again.status, again.headers["Idempotent-Replay"]) == (201, 200, "true")
    assert again.data["runId"] == first.data["runId"]


@REPEATS
def test_the_key_may_come_as_a_header(api, repeat):
    run_id = done(api)
    first = repeat(api, run_id, headers={"Idempotency-Key": "once"})
    again = repeat(api, run_id, idempotencyKey="once")
    assert (again.status, again.data["runId"]) == (200, first.data["runId"])


@REPEATS
def test_two_keys_that_differ_are_refused(api, repeat):
    answer = repeat(api, done(api), headers={"Idempotency-Key": "once"}, idempotencyKey="twice")
    assert (answer.status, paths(answer)) == (400, ["idempotencyKey"])


@REPEATS
@pytest.mark.parametrize("key", ["", "x" * 129, "x" * 5_000, 5, []])
def test_a_key_that_is_none_is_a_wrong_field(api, repeat, key):
    answer = repeat(api, done(api), idempotencyKey=key)
    assert (answer.status, paths(answer)) == (400, ["idempotencyKey"])


@REPEATS
def test_another_request_with_the_key_is_a_conflict(api, repeat):
    run_id = done(api)
    repeat(api, run_id, idempotencyKey="once")
    answer = repeat(api, run_id, idempotencyKey="once", priority="low")
    assert (answer.status, answer.error["code"]) == (409, "IDEMPOTENCY_CONFLICT")


def test_a_rerun_and_a_follow_up_of_a_run_are_two_requests(api):
    run_id = done(api)
    rerun(api, run_id, idempotencyKey="once", task="go on")
    assert follow_up(api, run_id, idempotencyKey="once").error["code"] == "IDEMPOTENCY_CONFLICT"


def test_the_same_request_for_another_run_is_another_request(api):
    rerun(api, done(api), idempotencyKey="once")
    assert rerun(api, done(api), idempotencyKey="once").error["code"] == "IDEMPOTENCY_CONFLICT"


def test_a_follow_up_that_has_the_workspace_is_replayed_as_the_same_run(api):
    run_id = in_workspace(api)["runId"]
    first, again = (follow_up(api, run_id, idempotencyKey="once") for _ in range(2))
    assert (again.status, again.data) == (200, first.data)


def test_a_follow_up_is_replayed_whatever_became_of_what_it_began_with(api):
    run_id = api.dispatch(workspaceMode="persistent", repo="acme/site").data["runId"]
    work(api, run_id, uploads=[TREE], workspace=KEPT)
    first, again = (follow_up(api, run_id, idempotencyKey="once") for _ in range(2))
    assert (first.status, again.status, again.data) == (201, 200, first.data)


def test_a_replay_is_not_given_to_a_key_that_is_revoked_since(api):
    run_id = done(api)
    made = api.call("POST", "/keys", function="account", json={"name": "x", "scopes": ["dispatch"]}).data
    headers = {"Authorization": f"Bearer {made['apiKey']}"}
    rerun(api, run_id, headers=headers, idempotencyKey="once")
    api.call("DELETE", "/keys/{id}", function="account", path_id=made["keyId"])
    assert rerun(api, run_id, headers=headers, idempotencyKey="once").status == 401


def test_what_came_of_a_run_can_be_listed(api):
    run_id = done(api)
    came = [rerun(api, run_id).data["runId"], follow_up(api, run_id).data["runId"]]
    listed = api.get("/runs", query={"parent": [run_id]}).data["runs"]
    assert [run["runId"] for run in listed] == sorted(came, reverse=True)
