"""What a dispatch is refused for, and how it waits, over HTTP."""

from dataclasses import replace

import pytest
from functions import LambdaContext

ONE_AT_A_TIME = {"concurrentRuns": 1, "queuedRuns": 3}
OVER = "2020-01-01T00:00:00Z"
# From noon of 2030-01-01 to the first of the next month.
SECONDS_TO_FEBRUARY = "2635200"
# The price of ten minutes of the shell agent's compute, in dollars.
PRICE_USD = 0.001665
ROUTES = [
    ("POST", "/dispatch", "dispatch"),
    ("DELETE", "/dispatch/{id}", "dispatch"),
    ("POST", "/runs/{id}/cancel", "dispatch"),
    ("GET", "/runs", "read"),
    ("GET", "/runs/{id}", "read"),
    ("GET", "/runs/{id}/logs", "read"),
    ("GET", "/runs/{id}/patch", "read"),
    ("GET", "/runs/{id}/artifacts", "read"),
    ("GET", "/runs/{id}/explain", "read"),
    ("GET", "/dispatch/{id}", "read"),
    ("GET", "/artifacts/{id}", "read"),
    ("GET", "/fleet", "read"),
    ("POST", "/auth/token", "account"),
    ("GET", "/auth/whoami", "read"),
    ("GET", "/keys", "read"),
    ("POST", "/keys", "account"),
    ("GET", "/keys/{id}", "read"),
    ("DELETE", "/keys/{id}", "account"),
    ("POST", "/keys/{id}/rotate", "account"),
    ("GET", "/kill-switch", "read"),
    ("PUT", "/kill-switch", "account"),
    ("DELETE", "/kill-switch", "account"),
]
BODIES = {
    "/dispatch": {"agent": "shell", "task": "true"},
    "/keys": {"name": "x", "scopes": ["status"]},
    "/kill-switch": {"reason": "x"},
}


def operate(api, operation, **fields):
    """An operation on the tenant, which is granted."""
    event = {"operation": operation, "tenantId": api.tenant_id} | fields
    answer = api.functions["operate"].handler(event, LambdaContext())
    assert answer["success"], answer
    return answer["data"]


def restricted(api, **restriction):
    """The API in the hands of a key with restrictions."""
    body = {"name": "ci", "scopes": ["dispatch", "status"]} | restriction
    return replace(api, key=api.call("POST", "/keys", function="account", json=body).data["apiKey"])


def finish(api, run_id, **changes):
    """What the machine tells of a run that it could not launch."""
    event = {"source": "machine", "tenantId": api.tenant_id, "runId": run_id, "attempt": 1, "task": None}
    refused = {"error": "ECS.ClientException", "cause": "no such family"}
    return api.functions["finish"].handler(event | refused | changes, LambdaContext())


def end(api, run_id):
    """A cancelled run that is known to have no compute."""
    api.cancel(run_id)
    return finish(api, run_id)


def refusal(answer):
    """Status and code."""
    return answer.status, answer.error["code"]


def positions(api, *run_ids):
    """The runs' places in the queue."""
    return [api.get("/runs/{id}", run_id).data["queuePosition"] for run_id in run_ids]


def usage(api):
    """What the operator sees of the tenant's use."""
    return operate(api, "show-tenant")["tenant"]["usage"]


def test_a_run_that_has_no_slot_waits_and_knows_its_place(make_api):
    api = make_api(plan=ONE_AT_A_TIME)
    api.dispatch()
    answer = api.dispatch()
    assert (answer.status, answer.data["status"], answer.data["queuePosition"]) == (201, "QUEUED", 1)
    assert positions(api, answer.data["runId"]) == [1]


def test_a_run_that_does_not_wait_has_no_place(api):
    dispatched = api.dispatch().data
    assert "queuePosition" not in dispatched
    assert positions(api, dispatched["runId"]) == [None]


def test_a_waiting_run_shows_its_wishes(make_api):
    api = make_api(plan=ONE_AT_A_TIME)
    api.dispatch()
    run_id = api.dispatch(priority="low", queueTimeoutSeconds=60).data["runId"]
    run = api.get("/runs/{id}", run_id).data
    assert (run["status"], run["priority"], run["queueTimeoutSeconds"]) == ("QUEUED", "low", 60)


def test_a_run_has_normal_priority_and_an_hour_if_nothing_is_said(api):
    run = api.get("/runs/{id}", api.dispatch().data["runId"]).data
    assert (run["priority"], run["queueTimeoutSeconds"]) == ("normal", 3_600)


def test_the_higher_priority_comes_first_and_then_the_older(make_api):
    api = make_api(plan={"concurrentRuns": 1})
    api.dispatch()
    wishes = ("low", "normal", "high", "normal")
    waiting = [api.dispatch(priority=priority).data["runId"] for priority in wishes]
    assert positions(api, *waiting) == [4, 2, 1, 3]


def test_a_list_shows_the_places_too(make_api):
    api = make_api(plan=ONE_AT_A_TIME)
    api.dispatch()
    api.dispatch()
    api.dispatch(priority="high")
    assert [run["queuePosition"] for run in api.get("/runs").data["runs"]] == [1, 2, None]


def test_waiting_runs_are_found_by_their_status(make_api):
    api = make_api(plan=ONE_AT_A_TIME)
    api.dispatch()
    waiting = api.dispatch().data["runId"]
    assert [run["runId"] for run in api.get("/runs", query={"status": ["QUEUED"]}).data["runs"]] == [waiting]


@pytest.mark.parametrize(
    ("field", "value"),
    [("priority", "urgent"), ("priority", 1), ("queueTimeoutSeconds", 59), ("queueTimeoutSeconds", 86_401)],
)
def test_a_wish_about_waiting_is_checked(api, field, value):
    answer = api.dispatch(**{field: value})
    assert (answer.status, [error["path"] for error in answer.error["details"]["errors"]]) == (400, [field])


def test_a_waiting_run_is_cancelled_at_once(make_api):
    api = make_api(plan=ONE_AT_A_TIME)
    api.dispatch()
    first, second = (api.dispatch().data["runId"] for _ in range(2))
    answer = api.cancel(first, json={"reason": "enough"})
    assert (answer.status, answer.data["status"]) == (202, "CANCELLED")
    assert positions(api, first, second) == [None, 1]
    assert api.get("/runs/{id}", first).data["computeStoppedAt"] is None


def test_a_run_that_ends_leaves_its_slot_to_the_next_one(make_api):
    api = make_api(plan=ONE_AT_A_TIME)
    first = api.dispatch().data["runId"]
    older, favoured = api.dispatch().data["runId"], api.dispatch(priority="high").data["runId"]
    assert end(api, first)["status"] == "CANCELLED"
    statuses = [api.get("/runs/{id}", run_id).data["status"] for run_id in (first, favoured, older)]
    assert statuses == ["CANCELLED", "PENDING", "QUEUED"]


def test_an_execution_that_asks_too_late_is_answered_with_its_slot(make_api):
    api = make_api(plan=ONE_AT_A_TIME)
    first = api.dispatch().data["runId"]
    waiting = api.dispatch().data["runId"]
    end(api, first)
    answer = finish(api, waiting, waiting=True, error="States.Timeout", cause="")
    assert (answer["status"], answer["attempt"]) == ("PENDING", 1)
    assert answer["bootstrapToken"]


def test_an_execution_that_waits_is_noted_and_its_token_never_shown(make_api):
    api = make_api(plan=ONE_AT_A_TIME)
    api.dispatch()
    run_id = api.dispatch().data["runId"]
    event = {"source": "queue", "tenantId": api.tenant_id, "runId": run_id, "token": "a-task-token"}
    answer = api.functions["finish"].handler(event, LambdaContext())
    shown = api.get("/runs/{id}", run_id).text + api.get("/runs").text + api.get("/runs/{id}/explain", run_id).text
    assert (answer["status"], "a-task-token" in shown) == ("QUEUED", False)


def test_a_run_that_waited_too_long_says_so(make_api):
    api = make_api(plan=ONE_AT_A_TIME)
    api.dispatch()
    run_id = api.dispatch(queueTimeoutSeconds=60).data["runId"]
    finish(api, run_id, waiting=True, error="States.Timeout", cause="")
    run = api.get("/runs/{id}", run_id).data
    assert (run["status"], run["error"]["code"], run["error"]["retryable"]) == ("TIMEOUT", "QUEUE_TIMEOUT", True)


def test_a_waiting_run_explains_what_it_waits_for(make_api):
    api = make_api(plan=ONE_AT_A_TIME)
    api.dispatch()
    run_id = api.dispatch().data["runId"]
    explained = api.get("/runs/{id}/explain", run_id).data
    assert (
        explained["waitsFor"]
        == "one of the tenant's runs to end (1 of 1 are at work); it is number 1 of 1 in the queue"
    )


def test_a_full_queue_is_429_with_its_numbers(make_api):
    api = make_api(plan={"concurrentRuns": 1, "queuedRuns": 1})
    api.dispatch()
    api.dispatch()
    answer = api.dispatch()
    assert (*refusal(answer), answer.error["retryable"]) == (429, "QUEUE_FULL", True)
    assert answer.error["details"] == {"dimension": "queuedRuns", "limit": 1, "used": 1, "resetsAt": None}
    assert answer.headers["Retry-After"] == "15"


def test_a_full_queue_takes_another_once_one_has_left(make_api):
    api = make_api(plan={"concurrentRuns": 1, "queuedRuns": 1})
    api.dispatch()
    api.cancel(api.dispatch().data["runId"])
    assert api.dispatch().data["queuePosition"] == 1


def test_a_replay_of_a_waiting_run_tells_its_place(make_api):
    api = make_api(plan=ONE_AT_A_TIME)
    api.dispatch()
    first = api.dispatch(idempotencyKey="k")
    again = api.dispatch(idempotencyKey="k")
    assert (again.status, again.data) == (200, first.data)


def test_a_replay_is_answered_though_every_limit_is_reached(make_api):
    api = make_api(plan={"concurrentRuns": 1, "queuedRuns": 0, "dispatches": 1})
    first = api.dispatch(idempotencyKey="k")
    again = api.dispatch(idempotencyKey="k")
    assert (again.status, again.data["runId"]) == (200, first.data["runId"])


def test_priority_and_time_to_wait_are_part_of_the_request(api):
    api.dispatch(idempotencyKey="k", priority="high")
    assert refusal(api.dispatch(idempotencyKey="k")) == (409, "IDEMPOTENCY_CONFLICT")
    assert api.dispatch(idempotencyKey="k", priority="high", queueTimeoutSeconds=3_600).status == 200


def test_used_up_dispatches_are_429_with_their_numbers(make_timed_api):
    api = make_timed_api(plan={"dispatches": 1})
    api.dispatch()
    answer = api.dispatch()
    assert (*refusal(answer), answer.error["retryable"]) == (429, "QUOTA_EXCEEDED", False)
    assert answer.error["details"] == {
        "dimension": "dispatches",
        "limit": 1,
        "used": 1,
        "resetsAt": "2030-02-01T00:00:00.000Z",
    }
    assert answer.headers["Retry-After"] == SECONDS_TO_FEBRUARY


def test_a_plan_without_dispatches_refuses_the_first(make_api):
    answer = make_api(plan={"dispatches": 0}).dispatch()
    assert (*refusal(answer), answer.error["details"]["used"]) == (429, "QUOTA_EXCEEDED", 0)


def test_the_next_months_dispatches_are_counted_anew(make_timed_api, clock):
    api = make_timed_api(plan={"dispatches": 1})
    api.dispatch()
    clock.move(days=31)
    assert api.dispatch().status == 201


def test_a_trials_dispatches_are_counted_over_its_whole_time(make_timed_api, clock):
    api = make_timed_api(plan={"kind": "trial", "dispatches": 1, "endsAt": "2031-01-01T00:00:00Z"})
    api.dispatch()
    clock.move(days=31)
    answer = api.dispatch()
    assert (*refusal(answer), answer.error["details"]["resetsAt"]) == (429, "QUOTA_EXCEEDED", None)


def test_a_run_reserves_all_of_its_minutes(make_api):
    api = make_api(plan={"agentMinutes": 15})
    assert api.dispatch(timeoutSeconds=600).status == 201
    answer = api.dispatch(timeoutSeconds=301)
    assert refusal(answer) == (429, "QUOTA_EXCEEDED")
    assert [answer.error["details"][name] for name in ("dimension", "limit", "used")] == ["agentMinutes", 15, 10]
    assert api.dispatch(timeoutSeconds=300).status == 201


def test_a_run_that_would_cost_more_than_is_left_is_refused(make_api):
    api = make_api(plan={"monthlyBudgetUsd": 2 * PRICE_USD - 0.000001})
    api.dispatch()
    answer = api.dispatch()
    assert refusal(answer) == (429, "BUDGET_EXCEEDED")
    details = answer.error["details"]
    assert (details["dimension"], details["limit"], details["used"]) == ("monthlyBudgetUsd", 0.003329, PRICE_USD)


def test_a_budget_can_be_used_to_its_last_micro_dollar(make_api):
    api = make_api(plan={"monthlyBudgetUsd": 2 * PRICE_USD})
    assert [api.dispatch().status, api.dispatch().status] == [201, 201]


def test_a_keys_own_budget_is_its_own(make_api):
    api = make_api()
    key = restricted(api, monthlyBudgetUsd=PRICE_USD)
    assert key.dispatch().status == 201
    answer = key.dispatch()
    assert (*refusal(answer), answer.error["details"]["dimension"]) == (429, "BUDGET_EXCEEDED", "keyMonthlyBudgetUsd")
    assert api.dispatch().status == 201


def test_a_successor_goes_on_with_what_its_key_has_used(make_api):
    api = make_api()
    key = restricted(api, monthlyBudgetUsd=PRICE_USD)
    key.dispatch()
    key_id = key.get("/auth/whoami").data["key"]["keyId"]
    made = api.call("POST", "/keys/{id}/rotate", function="account", path_id=key_id).data
    assert refusal(replace(api, key=made["apiKey"]).dispatch()) == (429, "BUDGET_EXCEEDED")


def test_what_a_cancelled_run_had_reserved_is_given_back(make_api):
    api = make_api(plan={"concurrentRuns": 1, "agentMinutes": 20})
    api.dispatch(timeoutSeconds=600)
    waiting = api.dispatch(timeoutSeconds=600).data["runId"]
    assert (usage(api)["agentMinutes"], usage(api)["dispatches"]) == (20, 2)
    api.cancel(waiting)
    assert (usage(api)["agentMinutes"], usage(api)["dispatches"]) == (10, 2)
    assert api.dispatch(timeoutSeconds=600).status == 201


def test_a_run_that_was_refused_has_used_nothing(make_api):
    api = make_api(plan={"agentMinutes": 5})
    api.dispatch(timeoutSeconds=600)
    assert (usage(api)["dispatches"], usage(api)["agentMinutes"], usage(api)["costUsd"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("kind", "code"),
    [("trial", "TRIAL_EXPIRED"), ("standard", "SUBSCRIPTION_EXPIRED"), ("unlimited", "SUBSCRIPTION_EXPIRED")],
)
def test_a_plan_that_has_ended_is_402(make_api, kind, code):
    answer = make_api(plan={"kind": kind, "endsAt": OVER}).dispatch()
    assert (*refusal(answer), answer.error["retryable"]) == (402, code, False)
    assert answer.error["details"] == {"endedAt": "2020-01-01T00:00:00.000Z"}


def test_reads_and_cancels_go_on_after_the_trial(make_timed_api, clock):
    api = make_timed_api(plan={"kind": "trial"})
    run_id = api.dispatch().data["runId"]
    clock.move(days=14)
    assert refusal(api.dispatch()) == (402, "TRIAL_EXPIRED")
    assert (api.get("/runs/{id}", run_id).status, api.get("/runs").status, api.cancel(run_id).status) == (200, 200, 202)


def test_a_trial_has_the_limits_of_the_settings(make_timed_api):
    plan = make_timed_api(plan={"kind": "trial"}).get("/auth/whoami").data["plan"]
    limits = [plan[name] for name in ("kind", "dispatches", "agentMinutes", "workspaces", "endsAt")]
    assert limits == ["trial", 50, 500, 20, "2030-01-15T12:00:00.000Z"]


@pytest.mark.parametrize(
    ("plan", "wish", "field"),
    [
        ({"agents": ["claude"]}, {}, "agent"),
        ({"longestTimeoutSeconds": 60}, {"timeoutSeconds": 61}, "timeoutSeconds"),
        ({"largestCpuUnits": 255}, {}, "resources.cpuUnits"),
        ({"largestMemoryMb": 511}, {}, "resources.memoryMb"),
        ({"repositories": {"allow": ["acme/*"]}}, {"repo": "other/site"}, "repo"),
        ({"repositories": {"deny": ["acme/secret"]}}, {"repo": "acme/secret"}, "repo"),
        ({"repositories": {"deny": ["acme/secret"]}}, {"repo": "https://git.example.com/ACME/Secret.git"}, "repo"),
    ],
    ids=str,
)
def test_what_the_plan_does_not_allow_is_403_by_its_field(make_api, plan, wish, field):
    api = make_api(plan=plan)
    answer = api.dispatch(**wish)
    assert (*refusal(answer), answer.error["details"]["field"]) == (403, "POLICY_DENIED", field)
    assert answer.error["details"]["reason"]
    assert api.get("/runs").data["runs"] == []


def test_what_the_plan_allows_is_dispatched(make_api):
    plan = {"agents": ["shell"], "longestTimeoutSeconds": 60, "largestCpuUnits": 256, "largestMemoryMb": 512}
    api = make_api(plan=plan | {"repositories": {"allow": ["acme/*"], "deny": ["acme/secret"]}})
    assert api.dispatch(timeoutSeconds=60, repo="acme/site").status == 201


@pytest.mark.parametrize(
    ("restriction", "wish", "field"),
    [
        ({"agents": ["claude"]}, {}, "agent"),
        ({"repositories": ["acme/*"]}, {"repo": "other/site"}, "repo"),
        ({"repositories": ["acme/*"]}, {}, "repo"),
    ],
    ids=str,
)
def test_what_a_key_is_not_for_is_403_by_its_field(api, restriction, wish, field):
    answer = restricted(api, **restriction).dispatch(**wish)
    assert (*refusal(answer), answer.error["details"]["field"]) == (403, "POLICY_DENIED", field)
    assert api.dispatch(**wish).status == 201


def test_a_key_does_what_it_is_for(api):
    key = restricted(api, agents=["shell"], repositories=["acme/*"])
    assert key.dispatch(repo="acme/site").status == 201


def test_a_raised_limit_counts_at_once_though_the_key_is_remembered(make_api):
    api = make_api(plan={"concurrentRuns": 1, "queuedRuns": 0, "dispatches": 5, "longestTimeoutSeconds": 60})
    api.dispatch(timeoutSeconds=60)
    before = [api.dispatch(timeoutSeconds=60).status, api.dispatch(timeoutSeconds=61).status]
    operate(api, "set-plan", plan={"concurrentRuns": 2, "longestTimeoutSeconds": 61})
    assert (before, api.dispatch(timeoutSeconds=61).status) == ([429, 403], 201)


def test_a_lowered_limit_counts_at_once_though_the_key_is_remembered(make_api):
    api = make_api()
    api.dispatch()
    operate(api, "set-plan", plan={"dispatches": 1})
    assert refusal(api.dispatch()) == (429, "QUOTA_EXCEEDED")


def test_an_extended_trial_goes_on_at_once(make_timed_api, clock):
    api = make_timed_api(plan={"kind": "trial"})
    clock.move(days=14)
    before = api.dispatch().status
    operate(api, "extend-trial", days=1)
    assert (before, api.dispatch().status) == (402, 201)


@pytest.mark.parametrize(("method", "resource", "function"), ROUTES, ids=lambda part: part)
def test_a_suspended_tenant_is_refused_on_every_route_though_its_key_is_remembered(api, method, resource, function):
    api.dispatch()
    api.get("/runs")
    api.call("POST", "/auth/token", function="account")
    operate(api, "suspend-tenant", reason="unpaid")
    answer = api.call(method, resource, function=function, path_id="x", json=BODIES.get(resource, {}))
    assert refusal(answer) == (403, "TENANT_SUSPENDED")
    assert "unpaid" not in answer.text


def test_a_resumed_tenant_is_served_again(api):
    operate(api, "suspend-tenant", reason="unpaid")
    operate(api, "resume-tenant")
    assert (api.dispatch().status, api.get("/runs").status) == (201, 200)


@pytest.mark.parametrize(("method", "resource", "function"), ROUTES, ids=lambda part: part)
def test_a_revoked_key_is_refused_on_every_route_though_it_is_remembered(api, method, resource, function):
    body = {"name": "all", "scopes": [*api.get("/auth/whoami").data["scopes"]]}
    made = api.call("POST", "/keys", function="account", json=body).data
    key = replace(api, key=made["apiKey"])
    key.dispatch()
    key.get("/runs")
    key.call("POST", "/auth/token", function="account")
    api.call("DELETE", "/keys/{id}", function="account", path_id=made["keyId"])
    answer = key.call(method, resource, function=function, path_id="x", json=BODIES.get(resource, {}))
    assert refusal(answer) == (401, "AUTHENTICATION_ERROR")


@pytest.mark.parametrize(
    "wish", [{"timeoutSeconds": 61}, {"agent": "claude"}], ids=["against the plan", "an agent without image"]
)
def test_a_revoked_key_learns_nothing_of_its_plan(make_api, wish):
    api = make_api(plan={"longestTimeoutSeconds": 60})
    made = api.call("POST", "/keys", function="account", json={"name": "x", "scopes": ["dispatch"]}).data
    key = replace(api, key=made["apiKey"])
    key.dispatch(timeoutSeconds=60)
    api.call("DELETE", "/keys/{id}", function="account", path_id=made["keyId"])
    assert refusal(key.dispatch(**wish)) == (401, "AUTHENTICATION_ERROR")


def rate_of(answer):
    """What the headers say of the rate: limit, remaining, reset, and when to come again."""
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After")
    return tuple(answer.headers.get(name) for name in names)


# Noon of 2030-01-01 and a minute, in seconds since 1970.
NEXT_MINUTE = "1893499260"


def test_the_rate_is_told_with_every_answer(make_timed_api):
    api = make_timed_api({"requests_per_minute": 3})
    told = [rate_of(api.get("/runs")), rate_of(api.get("/runs/{id}", "x")), rate_of(api.get("/runs"))]
    assert told == [
        ("3", "2", NEXT_MINUTE, None),
        ("3", "1", NEXT_MINUTE, None),
        ("3", "0", NEXT_MINUTE, None),
    ]


def test_one_request_too_many_is_429_until_the_minute_ends(make_timed_api, clock):
    api = make_timed_api({"requests_per_minute": 1})
    api.get("/runs")
    clock.move(seconds=17.5)
    answer = api.get("/runs")
    assert (*refusal(answer), answer.error["retryable"]) == (429, "RATE_LIMITED", True)
    assert rate_of(answer) == ("1", "0", NEXT_MINUTE, "43")


def test_the_next_minute_begins_anew(make_timed_api, clock):
    api = make_timed_api({"requests_per_minute": 1})
    api.get("/runs")
    api.get("/runs")
    clock.move(seconds=60)
    answer = api.get("/runs")
    assert (answer.status, rate_of(answer)) == (200, ("1", "0", str(int(NEXT_MINUTE) + 60), None))


def test_all_functions_count_together(make_timed_api):
    api = make_timed_api({"requests_per_minute": 2})
    assert [api.get("/runs").status, api.dispatch().status] == [200, 201]
    token = api.call("POST", "/auth/token", function="account")
    assert refusal(token) == (429, "RATE_LIMITED")
    assert refusal(api.dispatch()) == (429, "RATE_LIMITED")


def test_a_rate_is_its_keys_own(make_timed_api):
    api = make_timed_api({"requests_per_minute": 1})
    other = restricted(api)
    assert refusal(api.call("POST", "/auth/token", function="account")) == (429, "RATE_LIMITED")
    assert other.get("/runs").status == 200


def test_a_token_counts_for_its_key(make_timed_api):
    api = make_timed_api({"requests_per_minute": 2})
    token = replace(api, key=api.call("POST", "/auth/token", function="account").data["token"])
    assert rate_of(token.get("/runs"))[:2] == ("2", "0")
    assert refusal(token.get("/runs")) == (429, "RATE_LIMITED")


def test_an_exceeded_rate_says_nothing_of_scopes(make_timed_api):
    api = make_timed_api({"requests_per_minute": 1})
    key = restricted(api)
    key.get("/keys")
    assert refusal(key.get("/keys")) == (429, "RATE_LIMITED")


def test_a_large_rate_is_exact_for_one_process(make_timed_api):
    api = make_timed_api({"requests_per_minute": 45})
    statuses = [api.get("/fleet").status for _ in range(46)]
    assert (statuses[:45].count(200), statuses[45]) == (45, 429)


def test_an_answer_to_nobody_tells_no_rate(api):
    answer = api.get("/runs", headers={"Authorization": "Bearer otp_" + "0" * 64})
    assert rate_of(answer) == (None, None, None, None)


def test_a_used_up_quota_keeps_its_own_time_to_wait(make_timed_api):
    answer = make_timed_api(plan={"dispatches": 0}).dispatch()
    assert rate_of(answer) == ("600", "599", NEXT_MINUTE, SECONDS_TO_FEBRUARY)


@pytest.fixture
def warm_api(make_timed_api):
    """A tenant whose key nothing knows yet, in functions that have served another; its minute does not end."""
    api = make_timed_api()
    other = restricted(api)
    other.get("/runs/{id}", other.dispatch().data["runId"])
    return restricted(api)


def test_a_dispatch_costs_three_calls_where_nothing_is_known_of_the_key(warm_api, calls):
    calls.clear()
    warm_api.dispatch()
    assert calls == ["UpdateItem", "TransactWriteItems", "StartExecution"]


def test_a_dispatch_costs_two_calls_where_the_key_is_remembered(warm_api, calls):
    warm_api.dispatch()
    calls.clear()
    warm_api.dispatch()
    assert calls == ["TransactWriteItems", "StartExecution"]


def test_a_key_revoked_meanwhile_is_refused_by_the_transaction_itself(make_timed_api, calls):
    api = make_timed_api()
    made = api.call("POST", "/keys", function="account", json={"name": "x", "scopes": ["dispatch"]}).data
    key = replace(api, key=made["apiKey"])
    key.dispatch()
    api.call("DELETE", "/keys/{id}", function="account", path_id=made["keyId"])
    calls.clear()
    answer = key.dispatch()
    assert (refusal(answer), calls) == ((401, "AUTHENTICATION_ERROR"), ["TransactWriteItems"])


def test_a_read_costs_two_calls_where_the_key_is_remembered(warm_api, calls):
    run_id = warm_api.dispatch().data["runId"]
    warm_api.get("/runs/{id}", run_id)
    calls.clear()
    warm_api.get("/runs/{id}", run_id)
    assert calls == ["BatchGetItem", "GetItem"]


def test_a_read_costs_three_calls_where_nothing_is_known_of_the_key(warm_api, calls):
    run_id = warm_api.dispatch().data["runId"]
    calls.clear()
    warm_api.get("/runs/{id}", run_id)
    assert calls == ["UpdateItem", "GetItem", "GetItem"]


def test_what_has_not_the_shape_of_a_credential_costs_no_call(warm_api, calls):
    calls.clear()
    warm_api.get("/runs", headers={"Authorization": "Bearer nonsense"})
    assert calls == []
