"""What all tenants share, over HTTP and for operators: the kill switch, the slots, and the agents' breakers."""

import pytest
from fakes import SteppedClock
from functions import Api, LambdaContext, load_function

FUNCTIONS = ("dispatch", "read", "health", "operate", "finish")
SWITCH_OFF = {"on": False, "reason": None, "setAt": None, "setBy": None, "stopRunning": False}
CLOSED = {"state": "closed", "failures": 0, "retryAfterSeconds": None}


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
def make_apis(deployment, clock, monkeypatch):
    """Makes tenants on a deployment of the test's own, which may have this many runs at work."""

    def make(*tenant_ids, deployment_runs=100):
        for name, value in vars(deployment.settings).items():
            monkeypatch.setenv(name.upper(), str(value))
        monkeypatch.setenv("DEPLOYMENT_RUNS", str(deployment_runs))
        functions = {name: load_function(name) for name in FUNCTIONS}
        for function in functions.values():
            function.wiring.clock = clock
        return [make_tenant(functions, tenant_id) for tenant_id in tenant_ids]

    return make


def make_tenant(functions, tenant_id):
    event = {"operation": "create-tenant", "tenantId": tenant_id, "name": tenant_id}
    return Api(tenant_id, functions["operate"].handler(event, LambdaContext())["data"]["apiKey"], functions)


@pytest.fixture
def api(make_apis):
    return make_apis("acme")[0]


def operate(api, operation, **fields):
    """The deployment after an operation."""
    answer = api.functions["operate"].handler({"operation": operation} | fields, LambdaContext())
    return answer["data"]["deployment"]


def refuse_launch(api, run_id, attempt=1):
    """What the machine tells of an attempt that could not be launched."""
    event = {"source": "machine", "tenantId": api.tenant_id, "runId": run_id, "attempt": attempt, "task": None}
    return api.functions["finish"].handler(event | {"error": "ECS.ClientException", "cause": "x"}, LambdaContext())


def fail_launches(api, number):
    """So many lost launches in a row: three attempts for each run."""
    run_ids = [api.dispatch().data["runId"] for _ in range(-(-number // 3))]
    attempts = [(run_id, attempt) for run_id in run_ids for attempt in (1, 2, 3)]
    return [refuse_launch(api, run_id, attempt) for run_id, attempt in attempts[:number]]


def end(api, run_id):
    api.cancel(run_id)
    refuse_launch(api, run_id)


def status(api, run_id):
    return api.get("/runs/{id}", run_id).data["status"]


def shell(api):
    """The agent shell in the fleet."""
    return next(agent for agent in api.get("/fleet").data["agents"] if agent["agent"] == "shell")


def fleet_health(api):
    return api.call("GET", "/health/fleet", function="health", headers={"Authorization": ""}).body["healthy"]


def test_a_deployment_is_shown_whole(api):
    shown = operate(api, "show-deployment")
    assert (shown["activeRuns"], shown["limit"], shown["killSwitch"]) == (0, 100, SWITCH_OFF)
    agents = ("claude", "codex", "gemini", "aider", "grok", "shell")
    assert shown["breakers"] == [{"agent": agent, **CLOSED} for agent in agents]


def test_runs_of_all_tenants_count_together(make_apis):
    first, second = make_apis("first", "second")
    first.dispatch()
    second.dispatch()
    assert operate(first, "show-deployment")["activeRuns"] == 2


def test_the_deployments_switch_says_why_since_when_and_by_whom(api):
    shown = operate(api, "set-kill-switch", reason="an incident", stopRunning=True)["killSwitch"]
    assert shown == {
        "on": True,
        "reason": "an incident",
        "setAt": "2030-01-01T12:00:00.000Z",
        "setBy": "operator",
        "stopRunning": True,
    }


def test_the_deployments_switch_stops_every_tenants_dispatches(make_apis):
    first, second = make_apis("first", "second")
    operate(first, "set-kill-switch", reason="an incident")
    answers = [first.dispatch(), second.dispatch()]
    assert [(answer.status, answer.error["code"]) for answer in answers] == [(403, "KILL_SWITCH_ON")] * 2
    assert answers[0].error["details"] == {"scope": "deployment", "reason": None}


def test_why_the_operator_stopped_everything_is_not_the_tenants_to_know(api):
    operate(api, "set-kill-switch", reason="an incident of another tenant")
    assert "another tenant" not in api.dispatch().text


def test_a_lifted_switch_lets_work_begin_again(api):
    operate(api, "set-kill-switch", reason="an incident")
    assert operate(api, "lift-kill-switch")["killSwitch"] == SWITCH_OFF
    assert api.dispatch().status == 201


def test_a_fleet_under_a_switch_is_not_healthy(api, clock):
    operate(api, "set-kill-switch", reason="an incident")
    assert (fleet_health(api), api.get("/fleet").data["status"]) == (False, "degraded")


def test_the_deployments_switch_leaves_its_events(api, deployment):
    operate(api, "set-kill-switch", reason="an incident")
    operate(api, "lift-kill-switch")
    items = deployment.dynamodb.scan(TableName=deployment.settings.audit_table)["Items"]
    told = [item for item in items if item["type"]["S"].startswith("kill-switch.")]
    assert {item["type"]["S"]: item["details"]["M"]["reason"]["S"] for item in told} == {
        "kill-switch.set": "an incident",
        "kill-switch.lifted": "",
    }
    assert {item["tenant_id"]["S"] for item in told} == {"DEPLOYMENT"}


@pytest.mark.parametrize("fields", [{}, {"reason": ""}, {"reason": " "}, {"reason": 5}], ids=str)
def test_a_switch_needs_a_reason(api, fields):
    answer = api.functions["operate"].handler({"operation": "set-kill-switch"} | fields, LambdaContext())
    assert [error["path"] for error in answer["error"]["details"]["errors"]] == ["reason"]
    assert operate(api, "show-deployment")["killSwitch"] == SWITCH_OFF


def test_a_run_waits_where_the_deployment_is_full(make_apis):
    first, second = make_apis("first", "second", deployment_runs=1)
    first.dispatch()
    answer = second.dispatch()
    assert (answer.status, answer.data["status"], answer.data["queuePosition"]) == (201, "QUEUED", 1)
    waits_for = second.get("/runs/{id}/explain", answer.data["runId"]).data["waitsFor"]
    assert waits_for == "a slot of the deployment, which is full; it is number 1 of 1 in the queue"


def test_another_tenants_run_gets_the_slot_that_one_has_left(make_apis):
    first, second = make_apis("first", "second", deployment_runs=1)
    held, waiting = first.dispatch().data["runId"], second.dispatch().data["runId"]
    end(first, held)
    assert (status(first, held), status(second, waiting)) == ("CANCELLED", "PENDING")


def at_work(*apis):
    """(tenant, run id) of the run that has the deployment's only slot."""
    (found,) = [
        (api, run["runId"]) for api in apis for run in api.get("/runs", query={"status": ["PENDING"]}).data["runs"]
    ]
    return found


def test_tenants_take_turns_for_the_deployments_slot(make_apis, clock):
    first, second = make_apis("first", "second", deployment_runs=1)
    waiting = [api.dispatch() for _ in range(3) for api in (first, second)]
    end(*at_work(first, second))
    earlier, run_id = at_work(first, second)
    clock.move(seconds=1)
    end(earlier, run_id)
    later, _ = at_work(first, second)
    assert len(waiting) == 6
    assert {earlier.tenant_id, later.tenant_id} == {"first", "second"}


def test_an_agent_that_fails_five_times_in_a_row_is_not_launched(api):
    fail_launches(api, 5)
    answer = api.dispatch()
    assert (answer.status, answer.error["code"], answer.error["retryable"]) == (503, "AGENT_UNAVAILABLE", True)
    assert answer.headers["Retry-After"] == "60"


def test_four_failures_in_a_row_are_not_enough(api):
    fail_launches(api, 4)
    assert api.dispatch().status == 201


def test_the_time_to_wait_for_an_agent_counts_down(api, clock):
    fail_launches(api, 5)
    clock.move(seconds=20.5)
    assert api.dispatch().headers["Retry-After"] == "40"


def test_an_open_breaker_is_shown_to_callers_and_operators(api, clock):
    fail_launches(api, 5)
    clock.move(seconds=10)
    expected = {"state": "open", "failures": 5, "retryAfterSeconds": 50}
    assert (shell(api)["available"], shell(api)["breaker"]) == (False, expected)
    assert {"agent": "shell", **expected} in operate(api, "show-deployment")["breakers"]
    assert (fleet_health(api), api.get("/fleet").data["status"]) == (False, "degraded")


def test_after_a_minute_exactly_one_run_is_let_through(api, clock):
    fail_launches(api, 5)
    clock.move(seconds=60)
    assert shell(api)["breaker"] == {"state": "half-open", "failures": 5, "retryAfterSeconds": None}
    assert [api.dispatch().status, api.dispatch().status] == [201, 503]


def test_a_try_in_vain_opens_the_breaker_for_another_minute(api, clock):
    fail_launches(api, 5)
    clock.move(seconds=60)
    tried = api.dispatch().data["runId"]
    clock.move(seconds=30)
    refuse_launch(api, tried)
    assert shell(api)["breaker"] == {"state": "open", "failures": 6, "retryAfterSeconds": 60}


def test_every_tenant_sees_the_same_breaker(make_apis):
    first, second = make_apis("first", "second")
    fail_launches(first, 5)
    assert (second.dispatch().status, shell(second)["breaker"]["state"]) == (503, "open")


def test_a_replay_is_answered_though_the_breaker_is_open(api):
    first = api.dispatch(idempotencyKey="k")
    fail_launches(api, 5)
    again = api.dispatch(idempotencyKey="k")
    assert (again.status, again.data["runId"]) == (200, first.data["runId"])


def test_a_run_that_is_to_be_launched_says_that_others_failed(api):
    run_id = api.dispatch().data["runId"]
    fail_launches(api, 5)
    waits_for = api.get("/runs/{id}/explain", run_id).data["waitsFor"]
    assert "5 launches of shell, or calls to its provider, failed in a row" in waits_for
