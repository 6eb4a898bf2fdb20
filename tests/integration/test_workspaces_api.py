"""Workspaces through the functions: made, kept, shown, used, deleted; and what runners may do with them."""

import pytest

from .runners import BASE, KEPT, PATCH, RESULT, TREE, claim, end_task, work

WORKSPACE = {
    "workspaceId",
    "repo",
    "branch",
    "baseSha",
    "sizeBytes",
    "createdAt",
    "lastUsedAt",
    "expiresAt",
    "inUseBy",
    "lastRunId",
}
NOBODYS_ID = "01Q3ENHRG0NNNNNNNNNNNNNNNN"
MEBIBYTE = 1024 * 1024
VERDICT = {"passed": False, "exitCode": 2, "timedOut": False, "output": "1 failed", "seconds": 1.25}


def dispatch(api, **changes):
    """The run of a dispatch that makes a workspace."""
    asked = {"workspaceMode": "persistent", "repo": "acme/site", "branch": "main"} | changes
    return api.get("/runs/{id}", api.dispatch(**asked).data["runId"]).data


def kept(api, **changes):
    """The workspace of a run that has ended and stored its tree."""
    run = dispatch(api, **changes)
    work(api, run["runId"], uploads=[PATCH, TREE], workspace=KEPT)
    return show(api, run["workspaceId"]).data


def show(api, workspace_id):
    return api.get("/workspaces/{id}", workspace_id)


def delete(api, workspace_id, **request):
    return api.call("DELETE", "/workspaces/{id}", function="account", path_id=workspace_id, **request)


def put_tree(deployment, api, run):
    """The object of the run's tree, stored as by its URL."""
    key = f"workspaces/{api.tenant_id}/{run['workspaceId']}/{run['runId']}-1.tar.zst"
    deployment.s3.put_object(Bucket=deployment.settings.artifacts_bucket, Key=key, Body=b"tree")


def trees(deployment, api):
    """The trees of the tenant that the bucket has."""
    prefix = f"workspaces/{api.tenant_id}/"
    listed = deployment.s3.list_objects_v2(Bucket=deployment.settings.artifacts_bucket, Prefix=prefix)
    return [entry["Key"].removeprefix(prefix) for entry in listed.get("Contents", [])]


def paths(answer):
    return [error["path"] for error in answer.error["details"]["errors"]]


def test_a_run_shows_the_workspace_that_it_makes(api):
    run = dispatch(api)
    workspace = show(api, run["workspaceId"]).data
    assert run["workspaceMode"] == "persistent"
    assert set(workspace) == WORKSPACE
    assert (workspace["inUseBy"], workspace["repo"], workspace["branch"]) == (run["runId"], "acme/site", "main")
    assert (workspace["baseSha"], workspace["sizeBytes"], workspace["lastRunId"]) == (None, 0, None)


def test_a_workspace_shows_what_was_kept(api):
    workspace = kept(api)
    assert (workspace["baseSha"], workspace["sizeBytes"], workspace["inUseBy"]) == (BASE, 4, None)


def test_a_run_says_what_became_of_its_workspace(api):
    run = dispatch(api)
    work(api, run["runId"], workspace={"restored": None, "saved": False, "reason": "too large"})
    assert api.get("/runs/{id}", run["runId"]).data["workspace"] == {
        "restored": None,
        "saved": False,
        "reason": "too large",
    }
    assert show(api, run["workspaceId"]).data["sizeBytes"] == 0


def test_a_tree_is_no_artifact_of_its_run(api):
    workspace = kept(api)
    artifacts = api.get("/runs/{id}/artifacts", workspace["lastRunId"]).data["artifacts"]
    assert [artifact["type"] for artifact in artifacts] == ["patch"]


def test_a_tree_that_was_not_stored_is_not_kept(api):
    run = dispatch(api)
    work(api, run["runId"], uploads=[PATCH], workspace=KEPT)
    assert show(api, run["workspaceId"]).data["sizeBytes"] == 0


def test_the_next_run_is_given_the_tree_of_the_one_before(api):
    workspace = kept(api)
    run_id = api.dispatch(workspaceId=workspace["workspaceId"]).data["runId"]
    run = claim(api, run_id).claimed["run"]
    place = f"workspaces/{api.tenant_id}/{workspace['workspaceId']}/{workspace['lastRunId']}-1.tar.zst"
    assert place in run["workspace"]["snapshot"]["url"]
    assert (run["workspace"]["snapshot"]["sha256"], run["workspace"]["snapshot"]["sizeBytes"]) == ("d" * 64, 4)
    assert (run["repo"]["url"], run["repo"]["branch"]) == ("https://git.example.com/acme/site.git", "main")


def test_the_tree_before_the_present_one_is_removed(api, api_deployment):
    first = dispatch(api)
    put_tree(api_deployment, api, first)
    work(api, first["runId"], uploads=[PATCH, TREE], workspace=KEPT)
    second = api.get("/runs/{id}", api.dispatch(workspaceId=first["workspaceId"]).data["runId"]).data
    put_tree(api_deployment, api, second)
    work(api, second["runId"], uploads=[PATCH, TREE], workspace=KEPT)
    assert trees(api_deployment, api) == [f"{first['workspaceId']}/{second['runId']}-1.tar.zst"]


def test_a_run_that_keeps_nothing_leaves_the_tree_in_the_bucket(api, api_deployment):
    first = dispatch(api)
    put_tree(api_deployment, api, first)
    work(api, first["runId"], uploads=[PATCH, TREE], workspace=KEPT)
    second = api.dispatch(workspaceId=first["workspaceId"]).data["runId"]
    work(api, second)
    assert len(trees(api_deployment, api)) == 1


def test_one_run_has_a_workspace_at_a_time(api):
    run = dispatch(api)
    answer = api.dispatch(workspaceId=run["workspaceId"])
    assert (answer.status, answer.error["code"]) == (409, "CONFLICT")
    assert answer.error["details"] == {"runId": run["runId"]}


def test_a_workspace_without_a_repository_promotes_nothing(api):
    workspace = kept(api, repo=None, branch=None)
    answer = api.dispatch(workspaceId=workspace["workspaceId"], promote={"when": "success"})
    assert (answer.status, paths(answer)) == (400, ["promote"])


def test_the_repository_of_a_workspace_cannot_be_another(api):
    workspace = kept(api)
    answer = api.dispatch(workspaceId=workspace["workspaceId"], repo="acme/other", branch="other")
    assert (answer.status, paths(answer)) == (400, ["repo", "branch"])


@pytest.mark.parametrize("workspace_id", [NOBODYS_ID, "x", "..", "WORKSPACES", "é"])
def test_a_run_in_nobodys_workspace_is_refused_by_that_field(api, workspace_id):
    answer = api.dispatch(workspaceId=workspace_id)
    assert (answer.status, paths(answer)) == (400, ["workspaceId"])


@pytest.mark.parametrize("mode", ["temporary", "", None, 1])
def test_a_mode_is_one_of_two(api, mode):
    answer = api.dispatch(workspaceMode=mode)
    assert (answer.status, paths(answer)) == (400, ["workspaceMode"])


@pytest.mark.parametrize("workspace_id", ["", "x" * 129, 1, []])
def test_the_id_of_a_workspace_is_a_text(api, workspace_id):
    answer = api.dispatch(workspaceId=workspace_id)
    assert (answer.status, paths(answer)) == (400, ["workspaceId"])


@pytest.mark.parametrize("check", ["", " ", "x" * 4_001, "a\0b", 1])
def test_a_check_is_a_command(api, check):
    answer = api.dispatch(check=check)
    assert (answer.status, paths(answer)) == (400, ["check"])


def test_one_workspace_too_many_is_told_with_the_limit(make_api):
    api = make_api(plan={"workspaces": 1})
    dispatch(api)
    answer = api.dispatch(workspaceMode="persistent")
    assert (answer.status, answer.error["code"]) == (429, "QUOTA_EXCEEDED")
    assert answer.error["details"] == {"dimension": "workspaces", "limit": 1, "used": 1, "resetsAt": None}


def test_a_plan_without_workspaces_makes_none(make_api):
    answer = make_api(plan={"workspaces": 0}).dispatch(workspaceMode="persistent")
    assert (answer.status, answer.error["details"]["dimension"]) == (429, "workspaces")


def test_a_deleted_workspace_is_shown_as_it_was_and_gone_with_its_tree(api, api_deployment):
    run = dispatch(api)
    put_tree(api_deployment, api, run)
    work(api, run["runId"], uploads=[PATCH, TREE], workspace=KEPT)
    workspace = show(api, run["workspaceId"]).data
    answer = delete(api, run["workspaceId"])
    assert (answer.status, answer.data) == (200, workspace)
    assert show(api, run["workspaceId"]).status == 404
    assert trees(api_deployment, api) == []


def test_a_workspace_is_deleted_once(api):
    workspace_id = kept(api)["workspaceId"]
    assert [delete(api, workspace_id).status for _ in range(2)] == [200, 404]


def test_a_deleted_workspace_makes_room(make_api):
    api = make_api(plan={"workspaces": 1})
    delete(api, kept(api)["workspaceId"])
    assert api.dispatch(workspaceMode="persistent").status == 201


def test_work_on_a_workspaces_branch_is_not_to_be_promoted_to_that_branch(api):
    workspace = kept(api)
    wish = {"when": "success", "branch": workspace["branch"]}
    answer = api.dispatch(workspaceId=workspace["workspaceId"], promote=wish)
    assert (answer.status, [each["path"] for each in answer.error["details"]["errors"]]) == (400, ["promote.branch"])


def test_a_workspace_that_a_run_has_is_not_deleted(api):
    run = dispatch(api)
    answer = delete(api, run["workspaceId"])
    assert (answer.status, answer.error["details"]) == (409, {"runId": run["runId"]})


def test_nobodys_workspace_is_not_found(api):
    answers = [show(api, NOBODYS_ID), delete(api, NOBODYS_ID)]
    assert [(answer.status, answer.error["message"]) for answer in answers] == [
        (404, "There is no such workspace.")
    ] * 2


def test_anothers_workspace_is_nobodys(api, make_api):
    workspace_id, other = kept(api)["workspaceId"], make_api()
    statuses = [show(other, workspace_id).status, delete(other, workspace_id).status]
    assert statuses == [404, 404]
    assert other.dispatch(workspaceId=workspace_id).status == 400
    assert show(api, workspace_id).status == 200


def test_workspaces_are_listed_newest_first_in_disjoint_pages(api):
    made = [dispatch(api)["workspaceId"] for _ in range(3)]
    first = api.get("/workspaces", query={"limit": ["2"]})
    rest = api.get("/workspaces", query={"limit": ["2"], "cursor": [first.body["meta"]["pagination"]["nextCursor"]]})
    listed = [each["workspaceId"] for each in (*first.data["workspaces"], *rest.data["workspaces"])]
    assert listed == sorted(made, reverse=True)
    assert rest.body["meta"]["pagination"] == {"nextCursor": None, "hasMore": False, "limit": 2}


@pytest.mark.parametrize("query", [{"limit": ["0"]}, {"limit": ["101"]}, {"status": ["RUNNING"]}])
def test_a_list_takes_what_is_written_there_alone(api, query):
    assert api.get("/workspaces", query=query).error["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("scope", "statuses"), [("status", (200, 200, 403)), ("delete", (403, 403, 200)), ("dispatch", (403, 403, 403))]
)
def test_a_workspace_is_shown_and_deleted_by_scopes_of_their_own(api, scope, statuses):
    workspace_id = kept(api)["workspaceId"]
    made = api.call("POST", "/keys", function="account", json={"name": scope, "scopes": [scope]})
    headers = {"Authorization": f"Bearer {made.data['apiKey']}"}
    answers = (
        api.get("/workspaces", headers=headers),
        api.get("/workspaces/{id}", workspace_id, headers=headers),
        delete(api, workspace_id, headers=headers),
    )
    assert tuple(answer.status for answer in answers) == statuses


def test_a_run_that_is_cancelled_while_it_waits_gives_its_workspace_back(make_api):
    api = make_api(plan={"concurrentRuns": 1})
    workspace = kept(api)
    api.dispatch()
    run_id = api.dispatch(workspaceId=workspace["workspaceId"]).data["runId"]
    had = show(api, workspace["workspaceId"]).data["inUseBy"]
    api.cancel(run_id)
    assert (had, show(api, workspace["workspaceId"]).data["inUseBy"]) == (run_id, None)


def test_a_run_that_fails_gives_its_workspace_back(api):
    run = dispatch(api)
    claim(api, run["runId"])
    assert end_task(api, run["runId"], exit_code=1) == "FAILED"
    assert show(api, run["workspaceId"]).data["inUseBy"] is None


def test_a_runner_is_given_the_check_and_how_large_a_tree_may_be(make_api):
    api = make_api(plan={"workspaceMb": 7})
    claimed = claim(api, dispatch(api, check="make test")["runId"]).claimed
    assert (claimed["run"]["check"], claimed["run"]["workspace"]) == ("make test", {"snapshot": None})
    assert claimed["limits"]["workspaceBytes"] == 7 * MEBIBYTE


def test_a_plain_run_is_given_none_of_it(api):
    claimed = claim(api, api.dispatch().data["runId"]).claimed
    of_run = claimed["run"]
    assert [of_run[name] for name in ("repo", "patch", "background", "check", "workspace")] == [None] * 5
    assert claimed["limits"]["workspaceBytes"] == 0


def test_a_tree_is_stored_where_the_next_run_fetches_it(api):
    run = dispatch(api)
    answer = claim(api, run["runId"]).upload(TREE)
    granted = answer.data["uploads"][0]
    assert f"workspaces/{api.tenant_id}/{run['workspaceId']}/{run['runId']}-1.tar.zst" in granted["url"]
    assert (granted["type"], granted["headers"]["Content-Length"]) == ("workspace", "4")


def test_a_run_without_a_workspace_may_store_no_tree(api):
    answer = claim(api, api.dispatch().data["runId"]).upload(PATCH, TREE)
    assert (answer.status, paths(answer)) == (400, ["uploads"])


@pytest.mark.parametrize(("over", "status"), [(0, 200), (1, 400)])
def test_a_tree_may_be_as_large_as_the_plan_says(make_api, over, status):
    api = make_api(plan={"workspaceMb": 1})
    runner = claim(api, dispatch(api)["runId"])
    assert runner.upload(TREE | {"sizeBytes": MEBIBYTE + over}).status == status


def test_a_report_tells_verdict_notices_and_what_was_left_out(api):
    run_id = api.dispatch(check="make test").data["runId"]
    work(api, run_id, check=VERDICT, notices=["Cloned instead."], omitted=[{"name": "a", "reason": "too large"}])
    run = api.get("/runs/{id}", run_id).data
    assert (run["status"], run["check"]) == ("COMPLETED", {"command": "make test", **VERDICT})
    assert (run["notices"], run["omitted"]) == (["Cloned instead."], [{"name": "a", "reason": "too large"}])


@pytest.mark.parametrize(
    "wrong",
    [
        {"check": VERDICT | {"output": "x" * 4_001}},
        {"check": VERDICT | {"seconds": -1}},
        {"check": VERDICT | {"seconds": float("nan")}},
        {"check": VERDICT | {"seconds": float("inf")}},
        {"check": {"passed": True}},
        {"workspace": {"saved": "yes"}},
        {"workspace": KEPT | {"reason": "x" * 201}},
        {"notices": ["x" * 201]},
        {"notices": ["x"] * 21},
        {"omitted": [{"name": "a", "reason": "b"}] * 21},
    ],
)
def test_a_report_that_says_too_much_is_refused(api, wrong):
    runner = claim(api, api.dispatch().data["runId"])
    assert runner.complete(**wrong).status == 400
    assert runner.complete().status == 200


def test_a_report_with_a_result_of_no_repository_is_taken(api):
    run_id = api.dispatch(workspaceMode="persistent").data["runId"]
    work(api, run_id, result=RESULT | {"baseSha": None, "headSha": None}, uploads=[PATCH, TREE], workspace=KEPT)
    workspace_id = api.get("/runs/{id}", run_id).data["workspaceId"]
    assert (show(api, workspace_id).data["baseSha"], show(api, workspace_id).data["sizeBytes"]) == (None, 4)
