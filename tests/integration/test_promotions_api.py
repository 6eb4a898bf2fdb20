"""Promotions over HTTP: asking for one, its task's claim and word, and what a run's end begins by itself."""

import json
from dataclasses import replace

import pytest
from builders import CLAIM, TASK_ARN, an_ecs_task
from functions import Api, LambdaContext

from .runners import RESULT, claim, end_task, hear, work

ELSEWHERE = "https://elsewhere.example.com/acme/app"
GIT_TOKEN = "ghp_the-tenants-own-token"
REPO = {"repo": "acme/app", "branch": "develop"}
AT_END = {"when": "success", "branch": "fix/login", "title": "A title", "draft": True}
PROMOTED = {
    "outcome": "promoted",
    "branch": "fix/login",
    "baseBranch": "develop",
    "commit": "c" * 40,
    "pullRequest": {"number": 7, "url": "https://git.example.com/acme/app/pull/7"},
    "compareUrl": "https://git.example.com/acme/app/compare/develop...fix/login",
}
CONFLICT = {
    "outcome": "failed",
    "error": {"code": "PROMOTION_CONFLICT", "message": "the branch has moved on"},
    "conflicts": [{"path": "src/a.py", "reason": "changed there"}],
}


@pytest.fixture
def worked(api):
    """A run that has left its work on a branch of a repository."""
    run_id = api.dispatch(**REPO).data["runId"]
    work(api, run_id)
    return run_id


@pytest.fixture
def executions(api_deployment):
    """The inputs of the promotions' executions of a tenant, by run id."""
    machine = api_deployment.settings.promotion_machine_arn

    def read(api):
        found = api_deployment.states.list_executions(stateMachineArn=machine)["executions"]
        described = [api_deployment.states.describe_execution(executionArn=each["executionArn"]) for each in found]
        inputs = [json.loads(each["input"]) for each in described]
        return {(each["runId"], each["attempt"]): each for each in inputs if each["tenantId"] == api.tenant_id}

    return read


def promote(api, run_id, **wish):
    return api.call("POST", "/runs/{id}/promote", function="dispatch", path_id=run_id, json=wish)


def promotion_of(api, run_id):
    return api.get("/runs/{id}/promotion", run_id)


def with_scopes(api, *scopes):
    """The API in the hands of a key with the scopes."""
    wish = {"name": "another", "scopes": list(scopes)}
    return replace(api, key=api.call("POST", "/keys", function="account", json=wish).data["apiKey"])


def call_task(api, path, token, body=None):
    """A request of a promotion's task."""
    headers = {"Authorization": f"Bearer {token}"}
    return api.call("POST", f"/promotion/{path}", function="broker", json=body or {}, headers=headers)


def claim_promotion(api, token, claim_id=CLAIM):
    """What a promotion's task asks first."""
    return call_task(api, "claim", token, {"claimId": claim_id, "taskArn": TASK_ARN, "runnerVersion": "1.0.0"})


def settle(api, run_id, attempt=1, **said):
    """What the machine says of a promotion's task that has ended."""
    event = {"source": "promotion", "tenantId": api.tenant_id, "runId": run_id, "attempt": attempt, "error": ""}
    return api.functions["finish"].handler(event | {"cause": ""} | said, LambdaContext())


@pytest.fixture
def carry_out(api, executions):
    """Claims the promotion as its task does; gives what it got."""
    return lambda run_id, attempt=1: claim_promotion(api, executions(api)[run_id, attempt]["bootstrapToken"]).data


def put_git_token(api, value=GIT_TOKEN):
    return api.call("PUT", "/secrets/{name}", function="account", path_id="github", json={"value": value})


def test_a_run_is_promoted(api, worked, executions):
    answer = promote(api, worked, branch="fix/login", title="A title", body="A body", draft=True)
    assert answer.status == 202
    assert answer.data == {
        "runId": worked,
        "status": "PENDING",
        "attempt": 1,
        "branch": "fix/login",
        "baseBranch": None,
        "title": "A title",
        "draft": True,
        "commit": None,
        "pullRequest": None,
        "compareUrl": None,
        "requestedAt": answer.data["requestedAt"],
        "endedAt": None,
        "error": None,
        "conflicts": [],
    }
    assert promotion_of(api, worked).data == answer.data
    assert api.get("/runs/{id}", worked).data["promotion"] == answer.data
    assert list(executions(api)) == [(worked, 1)]


def test_asked_for_again_it_is_the_same(api, worked, executions):
    first = promote(api, worked)
    assert promote(api, worked, branch="another").data == first.data
    assert first.data["branch"] == f"outpost/{worked}"
    assert list(executions(api)) == [(worked, 1)]


def test_the_execution_has_what_its_machine_needs(api, worked, executions):
    promote(api, worked)
    (given,) = executions(api).values()
    assert given.keys() == {"runId", "tenantId", "attempt", "apiUrl", "taskSeconds", "bootstrapToken"}
    assert (given["apiUrl"], given["taskSeconds"]) == ("https://api.example.com/dev", 600)


def test_its_task_gets_the_work_and_a_token(api, worked, carry_out):
    put_git_token(api)
    promote(api, worked, branch="fix/login", title="A title", draft=True)
    claimed = carry_out(worked)
    assert claimed["run"] == {"runId": worked, "agent": "shell", "modelId": "none", "summary": "did it"}
    assert claimed["repo"] == {"url": "https://git.example.com/acme/app.git"}
    assert (claimed["baseSha"], claimed["baseBranch"]) == (RESULT["baseSha"], "develop")
    assert (claimed["branch"], claimed["title"], claimed["draft"]) == ("fix/login", "A title", True)
    assert claimed["git"] == {"username": "x-access-token", "password": "ghp_the-tenants-own-token"}
    assert claimed["host"] == {
        "kind": "github",
        "apiUrl": "https://api.git.example.com",
        "repository": "acme/app",
    }
    assert (claimed["patch"]["sizeBytes"], claimed["patch"]["sha256"]) == (10, "0" * 64)
    assert claimed["trailers"] == {"Outpost-Run": worked}
    assert claimed["body"].startswith("### Task\n\n```text\necho hello\n```")
    assert promotion_of(api, worked).data["status"] == "RUNNING"


@pytest.mark.parametrize(
    ("user", "person"),
    [
        ("Grace Hopper <grace@example.com>", {"name": "Grace Hopper", "email": "grace@example.com"}),
        ("grace@example.com", {"name": "grace", "email": "grace@example.com"}),
        ("user-17", None),
        ("Grace\nSigned-off-by: Eve <eve@example.com>", None),
    ],
)
def test_who_asked_for_the_run_is_the_commits_co_author(api, carry_out, user, person):
    run_id = api.dispatch(**REPO, userId=user).data["runId"]
    work(api, run_id)
    promote(api, run_id)
    assert carry_out(run_id)["coAuthor"] == person


def test_a_run_on_another_host_has_nowhere_to_go(api):
    put_git_token(api)
    run_id = api.dispatch(repo=ELSEWHERE).data["runId"]
    work(api, run_id)
    answer = promote(api, run_id)
    assert (answer.status, answer.error["code"]) == (409, "CONFLICT")
    assert "another host" in answer.error["details"]["reason"]


def test_the_git_host_is_known_by_each_of_its_spellings(api, carry_out):
    put_git_token(api)
    run_id = api.dispatch(repo="https://Git.Example.com:443/acme/app").data["runId"]
    work(api, run_id)
    promote(api, run_id)
    claimed = carry_out(run_id)
    assert (claimed["git"]["password"], claimed["host"]["kind"]) == (GIT_TOKEN, "github")


def test_its_tasks_word_is_shown(api, worked, carry_out):
    promote(api, worked, branch="fix/login")
    told = call_task(api, "complete", carry_out(worked)["sessionToken"], PROMOTED)
    shown = promotion_of(api, worked).data
    assert (told.status, told.data) == (200, {"status": "COMPLETED"})
    assert {name: shown[name] for name in ("pullRequest", "commit", "compareUrl", "baseBranch")} == {
        name: PROMOTED[name] for name in ("pullRequest", "commit", "compareUrl", "baseBranch")
    }
    assert shown["endedAt"] is not None


def test_a_pull_request_that_is_no_draft_is_shown_as_none(api, worked, carry_out):
    promote(api, worked, draft=True)
    pull = PROMOTED["pullRequest"] | {"draft": False}
    call_task(api, "complete", carry_out(worked)["sessionToken"], PROMOTED | {"pullRequest": pull})
    assert promotion_of(api, worked).data["draft"] is False
    assert promotion_of(api, worked).data["pullRequest"] == PROMOTED["pullRequest"]


def test_a_conflict_is_shown_and_tried_again(api, worked, carry_out, executions):
    promote(api, worked)
    call_task(api, "complete", carry_out(worked)["sessionToken"], CONFLICT)
    shown = promotion_of(api, worked).data
    assert (shown["status"], shown["conflicts"]) == ("FAILED", CONFLICT["conflicts"])
    assert (shown["error"]["code"], shown["error"]["message"]) == ("PROMOTION_CONFLICT", "the branch has moved on")
    assert shown["error"]["remedy"]
    again = promote(api, worked).data
    assert (again["status"], again["attempt"], again["error"], again["conflicts"]) == ("PENDING", 2, None, [])
    assert executions(api).keys() == {(worked, 1), (worked, 2)}


def test_the_first_word_stands(api, worked, carry_out):
    promote(api, worked)
    token = carry_out(worked)["sessionToken"]
    call_task(api, "complete", token, PROMOTED)
    assert call_task(api, "complete", token, CONFLICT).data == {"status": "COMPLETED"}
    assert settle(api, worked)["status"] == "COMPLETED"


def test_a_code_that_is_not_known_is_a_failure(api, worked, carry_out):
    promote(api, worked)
    word = {"outcome": "failed", "error": {"code": "SOMETHING_NEW", "message": "what happened"}}
    call_task(api, "complete", carry_out(worked)["sessionToken"], word)
    error = promotion_of(api, worked).data["error"]
    assert (error["code"], error["message"]) == ("PROMOTION_FAILED", "what happened")


def test_a_failure_without_a_reason_is_one(api, worked, carry_out):
    promote(api, worked)
    call_task(api, "complete", carry_out(worked)["sessionToken"], {"outcome": "failed"})
    error = promotion_of(api, worked).data["error"]
    assert (error["code"], error["message"]) == ("PROMOTION_FAILED", "No reason was given.")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"outcome": "COMPLETED"}, "outcome"),
        ({"commit": "main"}, "commit"),
        ({"pullRequest": {"number": 0, "url": "https://x.example"}}, "pullRequest.number"),
        ({"pullRequest": {"number": 1, "url": "javascript:alert(1)"}}, "pullRequest.url"),
        ({"pullRequest": PROMOTED["pullRequest"] | {"draft": "no"}}, "pullRequest.draft"),
        ({"compareUrl": "https://x.example/a b"}, "compareUrl"),
        ({"branch": "b" * 256}, "branch"),
        ({"error": {"code": "X", "message": "m" * 1_001}}, "error.message"),
        ({"conflicts": [{"path": "p", "reason": "r"}] * 51}, "conflicts"),
        ({"status": "COMPLETED"}, "status"),
    ],
)
def test_a_tasks_word_is_checked(api, worked, carry_out, changes, path):
    promote(api, worked)
    answer = call_task(api, "complete", carry_out(worked)["sessionToken"], PROMOTED | changes)
    assert (answer.status, [each["path"] for each in answer.error["details"]["errors"]]) == (400, [path])
    assert promotion_of(api, worked).data["status"] == "RUNNING"


def test_a_claim_is_good_for_one_task(api, worked, carry_out, executions):
    promote(api, worked)
    first, token = carry_out(worked), executions(api)[worked, 1]["bootstrapToken"]
    assert claim_promotion(api, token).data.keys() == first.keys()
    answer = claim_promotion(api, token, claim_id="d" * 32)
    assert (answer.status, answer.error["code"]) == (409, "CONFLICT")
    assert "sessionToken" not in answer.text


def test_the_token_of_an_attempt_that_failed_claims_nothing_of_the_next(api, worked, executions):
    promote(api, worked)
    settle(api, worked)
    promote(api, worked)
    assert claim_promotion(api, executions(api)[worked, 1]["bootstrapToken"]).status == 409
    assert claim_promotion(api, executions(api)[worked, 2]["bootstrapToken"]).status == 200


@pytest.mark.parametrize(("path", "body"), [("claim", {}), ("complete", PROMOTED)])
@pytest.mark.parametrize("token", ["", "x", "a.b", "otp_" + "a1" * 32])
def test_whoever_has_no_token_gets_nothing(api, path, body, token):
    answer = call_task(api, path, token, body)
    assert (answer.status, answer.error["code"]) == (401, "AUTHENTICATION_ERROR")


def test_each_of_the_four_tokens_is_good_for_its_own_call_alone(api, executions):
    worked = api.dispatch(**REPO).data["runId"]
    bootstrap = hear(api, worked, waiting=True)["bootstrapToken"]
    session = claim(api, worked).claimed["sessionToken"]
    other = api.dispatch(**REPO).data["runId"]
    work(api, other)
    promote(api, other)
    promoters_bootstrap = executions(api)[other, 1]["bootstrapToken"]
    promoters_session = claim_promotion(api, promoters_bootstrap).data["sessionToken"]
    body = {"claimId": CLAIM, "taskArn": TASK_ARN, "runnerVersion": "1"}
    report = {"outcome": "succeeded", "exitCode": 0, "uploads": [], "omitted": []}

    def call_runner(path, token, sent):
        headers = {"Authorization": f"Bearer {token}"}
        return api.call("POST", f"/runner/{path}", function="broker", json=sent, headers=headers).status

    assert {call_task(api, "claim", token).status for token in (bootstrap, session, promoters_session)} == {401}
    strangers = (bootstrap, session, promoters_bootstrap)
    assert {call_task(api, "complete", token, PROMOTED).status for token in strangers} == {401}
    assert {call_runner("claim", token, body) for token in (promoters_bootstrap, promoters_session)} == {401}
    assert {call_runner("complete", token, report) for token in (promoters_bootstrap, promoters_session)} == {401}


@pytest.mark.parametrize(
    ("said", "code"), [({}, "PROMOTION_FAILED"), ({"error": "States.Timeout"}, "PROMOTION_TIMEOUT")]
)
def test_a_task_that_ends_without_a_word_fails_it(api, worked, said, code):
    promote(api, worked)
    answer = settle(api, worked, **said)
    assert (answer["status"], answer["error"]["code"]) == ("FAILED", code)
    assert promotion_of(api, worked).data["error"]["code"] == code


def test_a_launch_that_was_refused_is_told_without_the_clouds_names(api, worked):
    promote(api, worked)
    cause = "arn:aws:ecs:us-east-1:123456789012:cluster/outpost-dev has no capacity"
    settle(api, worked, error="ECS.AmazonECSException", cause=cause)
    message = promotion_of(api, worked).data["error"]["message"]
    assert "no capacity" in message
    assert "123456789012" not in message


def test_what_a_task_printed_of_itself_is_not_the_reason(api, worked):
    promote(api, worked)
    settle(api, worked, error="States.TaskFailed", cause=json.dumps({"TaskArn": TASK_ARN, "Overrides": "secret"}))
    message = promotion_of(api, worked).data["error"]["message"]
    assert message == "The promotion's task ended without a result."


def test_the_finish_function_leaves_the_events_of_a_promotions_task_alone(api, worked):
    values = {"RUN_ID": worked, "TENANT_ID": api.tenant_id, "ATTEMPT": "1"}
    environment = [{"name": name, "value": value} for name, value in values.items()]
    overrides = {"containerOverrides": [{"name": "promoter", "environment": environment}]}
    detail = an_ecs_task(overrides=overrides, containers=[{"name": "promoter", "exitCode": 1}])
    event = {"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": detail}
    answer = api.functions["finish"].handler(event, LambdaContext())
    assert answer == {"runId": None, "status": "NO_RUN", "error": None}


def test_a_run_at_work_is_not_promoted_yet(api):
    run_id = api.dispatch(**REPO).data["runId"]
    answer = promote(api, run_id)
    assert (answer.status, answer.error["code"], answer.error["details"]) == (409, "CONFLICT", {"status": "PENDING"})


def test_a_run_without_a_patch_has_nothing_to_promote(api):
    run_id = api.dispatch(**REPO).data["runId"]
    work(api, run_id, uploads=[])
    answer = promote(api, run_id)
    assert (answer.status, answer.error["details"]) == (409, {"reason": "the run has no patch"})


def test_a_run_without_a_repository_has_nothing_to_promote(api):
    run_id = api.dispatch().data["runId"]
    work(api, run_id)
    answer = promote(api, run_id)
    assert (answer.status, answer.error["details"]) == (409, {"reason": "the run worked on no repository"})


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ({"branch": "a..b"}, "branch"),
        ({"branch": "-x"}, "branch"),
        ({"branch": "develop"}, "branch"),
        ({"title": ""}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "x" * 251}, "title"),
        ({"body": "x" * 10_001}, "body"),
        ({"draft": "yes"}, "draft"),
        ({"when": "success"}, "when"),
    ],
)
def test_a_wish_is_checked(api, worked, wish, path):
    answer = promote(api, worked, **wish)
    assert (answer.status, [each["path"] for each in answer.error["details"]["errors"]]) == (400, [path])
    assert promotion_of(api, worked).status == 404


def test_a_run_that_was_not_promoted_has_no_promotion(api, worked):
    answer = promotion_of(api, worked)
    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")
    assert api.get("/runs/{id}", worked).data["promotion"] is None


def test_anothers_run_is_nobodys(make_api, worked):
    stranger = make_api()
    answers = [promote(stranger, worked), promotion_of(stranger, worked)]
    nobodys = [promote(stranger, "nobodys"), promotion_of(stranger, "nobodys")]
    assert [answer.status for answer in answers] == [404, 404]
    assert [answer.error for answer in answers] == [answer.error for answer in nobodys]


def test_promoting_needs_its_scope(api, worked):
    dispatcher = with_scopes(api, "dispatch", "status", "cancel")
    answer = promote(dispatcher, worked)
    assert (answer.status, answer.error["code"]) == (403, "AUTHORIZATION_ERROR")
    assert promote(with_scopes(api, "promote"), worked).status == 202
    assert promotion_of(dispatcher, worked).status == 200


def test_a_run_is_not_to_promote_itself_for_a_key_that_may_not(api):
    dispatcher = with_scopes(api, "dispatch", "status")
    answer = dispatcher.dispatch(**REPO, promote=AT_END)
    assert (answer.status, answer.error["code"]) == (403, "AUTHORIZATION_ERROR")
    assert api.get("/runs").data["runs"] == []
    assert with_scopes(api, "dispatch", "promote").dispatch(**REPO, promote=AT_END).status == 201


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"promote": AT_END}, "promote"),
        (REPO | {"promote": AT_END | {"branch": "develop"}}, "promote.branch"),
        ({"repo": ELSEWHERE, "promote": AT_END}, "promote"),
        (REPO | {"promote": {"branch": "x"}}, "promote.when"),
        (REPO | {"promote": AT_END | {"when": "always"}}, "promote.when"),
        (REPO | {"promote": AT_END | {"branch": "a b"}}, "promote.branch"),
    ],
)
def test_a_wish_with_a_dispatch_is_checked(api, body, path):
    answer = api.dispatch(**body)
    assert (answer.status, [each["path"] for each in answer.error["details"]["errors"]]) == (400, [path])


@pytest.mark.parametrize("at_end", [True, False], ids=["at the run's end", "by hand"])
def test_the_audit_log_says_who_asked_for_it_with_which_key(api, api_deployment, at_end):
    run_id = api.dispatch(**REPO, **({"promote": AT_END} if at_end else {})).data["runId"]
    work(api, run_id)
    if not at_end:
        promote(api, run_id, branch="fix/login")
    items = api_deployment.dynamodb.scan(TableName=api_deployment.settings.audit_table)["Items"]
    (event,) = [each for each in items if each["type"]["S"] == "promotion.requested" and each["run_id"]["S"] == run_id]
    details = {name: value["S"] for name, value in event["details"]["M"].items()}
    key_id = api.get("/auth/whoami").data["key"]["keyId"]
    assert details == {"promotionAttempt": "1", "branch": "fix/login", "keyId": key_id}


def test_a_run_that_asked_for_it_is_promoted_at_its_end(api, executions):
    run_id = api.dispatch(**REPO, promote=AT_END).data["runId"]
    assert promotion_of(api, run_id).status == 404
    work(api, run_id)
    shown = promotion_of(api, run_id).data
    assert (shown["status"], shown["branch"], shown["title"], shown["draft"]) == (
        "PENDING",
        "fix/login",
        "A title",
        True,
    )
    assert list(executions(api)) == [(run_id, 1)]
    assert promote(api, run_id).data == shown


def test_heard_of_twice_a_runs_end_begins_its_promotion_once(api, executions):
    run_id = api.dispatch(**REPO, promote=AT_END).data["runId"]
    work(api, run_id)
    end_task(api, run_id)
    assert list(executions(api)) == [(run_id, 1)]
    assert promotion_of(api, run_id).data["attempt"] == 1


def end_badly(api, run_id):
    runner = claim(api, run_id)
    runner.complete(outcome="failed", exitCode=1, error={"code": "AGENT_FAILED", "message": "no"})
    end_task(api, run_id, 1)


def end_cancelled(api, run_id):
    api.cancel(run_id)
    hear(api, run_id, error="ECS.ClientException", cause="no such family")


def end_empty(api, run_id):
    work(api, run_id, result=RESULT | {"filesChanged": 0}, uploads=[])


def end_without_a_commit(api, run_id):
    work(api, run_id, result=RESULT | {"baseSha": None})


@pytest.mark.parametrize("end", [end_badly, end_cancelled, end_empty, end_without_a_commit])
def test_a_run_that_comes_to_nothing_promotes_nothing(api, executions, end):
    run_id = api.dispatch(**REPO, promote=AT_END).data["runId"]
    end(api, run_id)
    assert api.get("/runs/{id}", run_id).data["status"] in ("FAILED", "CANCELLED", "COMPLETED")
    assert promotion_of(api, run_id).status == 404
    assert executions(api) == {}


def test_a_rerun_of_what_asked_for_it_promotes_nothing_by_itself(api):
    run_id = api.dispatch(**REPO, promote=AT_END).data["runId"]
    work(api, run_id)
    again = api.call("POST", "/runs/{id}/rerun", function="dispatch", path_id=run_id, json={}).data["runId"]
    work(api, again)
    assert promotion_of(api, again).status == 404


def test_a_tasks_claim_is_refused_while_a_switch_is_on_and_the_promotion_says_so(api: Api, worked, executions):
    promote(api, worked)
    token = executions(api)[worked, 1]["bootstrapToken"]
    api.call("PUT", "/kill-switch", function="account", json={"reason": "a drill"})
    refused = claim_promotion(api, token)
    api.call("DELETE", "/kill-switch", function="account")
    assert (refused.status, claim_promotion(api, token).status) == (409, 409)
    assert promotion_of(api, worked).data["error"]["code"] == "KILL_SWITCH_ON"
    assert promote(api, worked).data["attempt"] == 2


def test_nothing_is_promoted_while_a_switch_is_on(api, worked):
    api.call("PUT", "/kill-switch", function="account", json={"reason": "a drill"})
    answer = promote(api, worked)
    assert (answer.status, answer.error["code"]) == (403, "KILL_SWITCH_ON")
    assert promotion_of(api, worked).status == 404
