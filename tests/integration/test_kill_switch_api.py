"""A tenant's kill switch over HTTP: what it stops, and what goes on."""

from dataclasses import replace

import pytest
from functions import LambdaContext

OFF = {"on": False, "reason": None, "setAt": None, "setBy": None, "stopRunning": False}


def put(api, **body):
    """PUT /kill-switch."""
    return api.call("PUT", "/kill-switch", function="account", json={"reason": "an incident"} | body)


def lift(api):
    """DELETE /kill-switch."""
    return api.call("DELETE", "/kill-switch", function="account")


def make_key(api, *scopes):
    """The API in the hands of a key of these scopes."""
    body = {"name": "ci", "scopes": scopes}
    return replace(api, key=api.call("POST", "/keys", function="account", json=body).data["apiKey"])


def status(api, run_id):
    return api.get("/runs/{id}", run_id).data["status"]


def test_a_switch_is_off_at_first(api):
    assert api.get("/kill-switch").data == OFF


def test_a_switch_that_is_on_says_why_since_when_and_by_whom(make_timed_api):
    api = make_timed_api()
    answer = put(api)
    expected = {
        "on": True,
        "reason": "an incident",
        "setAt": "2030-01-01T12:00:00.000Z",
        "setBy": api.get("/auth/whoami").data["key"]["keyId"],
        "stopRunning": False,
    }
    assert (answer.status, answer.data) == (200, expected | {"stopped": 0})
    assert api.get("/kill-switch").data == expected


def test_nothing_is_dispatched_while_it_is_on(api):
    api.dispatch()
    put(api)
    answer = api.dispatch()
    assert (answer.status, answer.error["code"]) == (403, "KILL_SWITCH_ON")
    assert answer.error["details"] == {"scope": "tenant", "reason": "an incident"}
    assert len(api.get("/runs").data["runs"]) == 1


def test_reads_and_cancels_go_on_while_it_is_on(api):
    run_id = api.dispatch().data["runId"]
    put(api)
    assert (status(api, run_id), api.cancel(run_id).status) == ("PENDING", 202)


def test_a_lifted_switch_lets_work_begin_again(api):
    put(api)
    assert (lift(api).status, lift(api).data) == (200, OFF)
    assert api.dispatch().status == 201


def test_a_switch_can_be_replaced_by_another(api):
    put(api)
    put(api, reason="worse")
    assert api.get("/kill-switch").data["reason"] == "worse"


def test_a_switch_is_its_tenants_own(make_api):
    put(make_api())
    assert make_api().dispatch().status == 201


def test_what_runs_is_left_alone_if_nothing_else_is_said(api):
    run_id = api.dispatch().data["runId"]
    assert put(api).data["stopped"] == 0
    assert status(api, run_id) == "PENDING"


def test_what_runs_is_stopped_where_that_is_asked_for(make_api):
    api = make_api(plan={"concurrentRuns": 2})
    first, second, waiting = (api.dispatch().data["runId"] for _ in range(3))
    answer = put(api, stopRunning=True)
    assert (answer.data["stopped"], answer.data["stopRunning"]) == (2, True)
    assert [status(api, run_id) for run_id in (first, second, waiting)] == ["CANCELLING", "CANCELLING", "QUEUED"]


def test_a_run_that_a_switch_has_stopped_says_so(api):
    run_id = api.dispatch().data["runId"]
    put(api, stopRunning=True)
    explained = api.get("/runs/{id}/explain", run_id).data
    assert "A kill switch was put on." in explained["causes"][-1]["message"]


def test_a_waiting_run_says_that_a_switch_holds_it(make_api):
    api = make_api(plan={"concurrentRuns": 1})
    api.dispatch()
    waiting = api.dispatch().data["runId"]
    put(api)
    waits_for = api.get("/runs/{id}/explain", waiting).data["waitsFor"]
    assert waits_for == "the tenant's kill switch to be lifted (reason: an incident)"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": None}, "reason"),
        ({"reason": "x" * 1_001}, "reason"),
        ({"stopRunning": "yes"}, "stopRunning"),
        ({"stop": True}, "stop"),
    ],
    ids=str,
)
def test_a_wish_for_a_switch_is_checked(api, body, wrong):
    answer = put(api, **body)
    assert (answer.status, [error["path"] for error in answer.error["details"]["errors"]]) == (400, [wrong])
    assert api.get("/kill-switch").data == OFF


def test_a_switch_needs_the_scope_admin(api):
    others = make_key(api, "dispatch", "status", "cancel", "keys")
    answers = [others.get("/kill-switch"), put(others), lift(others)]
    assert [(answer.status, answer.error["details"]) for answer in answers] == [(403, {"scope": "admin"})] * 3


def hear(api, run_id, **changes):
    """What the machine tells of a run."""
    event = {"source": "machine", "tenantId": api.tenant_id, "runId": run_id, "attempt": 1, "task": None, "error": ""}
    return api.functions["finish"].handler(event | changes, LambdaContext())


def claim(api, run_id):
    """A runner's claim, with the token that its execution was given."""
    token = hear(api, run_id, waiting=True)["bootstrapToken"]
    body = {"claimId": "c" * 32, "taskArn": "a-task", "runnerVersion": "1"}
    headers = {"Authorization": f"Bearer {token}"}
    return api.call("POST", "/runner/claim", function="broker", json=body, headers=headers)


def test_a_runner_that_comes_under_a_switch_gets_no_work(api):
    run_id = api.dispatch().data["runId"]
    put(api)
    answer = claim(api, run_id)
    assert (answer.status, answer.error["code"], answer.error["details"]) == (409, "CONFLICT", {"status": "PENDING"})


def test_a_run_whose_runner_was_sent_away_fails_by_the_switch(api):
    run_id = api.dispatch().data["runId"]
    put(api)
    claim(api, run_id)
    hear(api, run_id, error="ECS.ClientException", cause="no such family")
    run = api.get("/runs/{id}", run_id).data
    assert (run["status"], run["error"]["code"], run["attempt"]) == ("FAILED", "KILL_SWITCH_ON", 1)


def test_a_runner_that_comes_before_the_switch_is_given_its_work(api):
    run_id = api.dispatch(task="echo hello").data["runId"]
    assert claim(api, run_id).data["run"]["task"] == "echo hello"
