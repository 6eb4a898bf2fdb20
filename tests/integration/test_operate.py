"""The operator's operations: each one, what it refuses, and what it answers."""

import pytest
from functions import LambdaContext

PLAN_FIELDS = {
    "kind",
    "startedAt",
    "endsAt",
    "concurrentRuns",
    "queuedRuns",
    "longestTimeoutSeconds",
    "dispatches",
    "agentMinutes",
    "workspaces",
    "workspaceDays",
    "workspaceMb",
    "monthlyBudgetUsd",
    "runBudgetUsd",
    "runTokens",
    "largestCpuUnits",
    "largestMemoryMb",
    "agents",
    "repositories",
    "ownSecretsRequired",
}
TENANT_OPERATIONS = ["show-tenant", "suspend-tenant", "resume-tenant", "set-plan", "extend-trial", "create-key"]
FIELDS = {
    "suspend-tenant": {"reason": "x"},
    "set-plan": {"plan": {}},
    "extend-trial": {"days": 1},
    "set-kill-switch": {"reason": "x"},
    "lift-kill-switch": {},
}


@pytest.fixture
def operate(functions):
    """The answer to an operation."""
    return lambda operation, **fields: functions["operate"].handler({"operation": operation} | fields, LambdaContext())


def paths(answer):
    return [error["path"] for error in answer["error"]["details"]["errors"]]


def plan_of(answer):
    """The plan of the tenant in an answer."""
    return answer["data"]["tenant"]["plan"]


def test_a_new_tenant_is_shown_with_its_first_key(operate):
    answer = operate("create-tenant", tenantId="fresh", name="Fresh")
    tenant, key = answer["data"]["tenant"], answer["data"]["key"]
    assert (answer["success"], tenant["tenantId"], tenant["name"], tenant["status"]) == (
        True,
        "fresh",
        "Fresh",
        "ACTIVE",
    )
    assert (tenant["activeRuns"], tenant["queuedRuns"], tenant["killSwitch"]["on"]) == (0, 0, False)
    assert answer["data"]["apiKey"].startswith(key["prefix"])
    assert (key["createdBy"], key["name"]) == ("operator", "first key")


def test_a_tenants_plan_is_the_settings_if_nothing_is_said(operate):
    plan = plan_of(operate("create-tenant", tenantId="plain", name="Plain"))
    assert set(plan) == PLAN_FIELDS
    assert (plan["kind"], plan["concurrentRuns"], plan["queuedRuns"]) == ("standard", 10, 100)
    assert (plan["dispatches"], plan["endsAt"], plan["monthlyBudgetUsd"], plan["runTokens"]) == (None, None, None, None)
    assert plan["runBudgetUsd"] == 10


def test_a_tenant_is_made_with_what_is_said_of_its_plan(operate):
    wish = {
        "kind": "trial",
        "concurrentRuns": 2,
        "queuedRuns": 0,
        "longestTimeoutSeconds": 60,
        "dispatches": 9,
        "agentMinutes": 8,
        "workspaces": 7,
        "workspaceDays": 6,
        "workspaceMb": 5,
        "monthlyBudgetUsd": 1.5,
        "runBudgetUsd": 0.5,
        "runTokens": 100_000,
        "largestCpuUnits": 512,
        "largestMemoryMb": 1024,
        "agents": ["shell"],
        "repositories": {"allow": ["acme/*"], "deny": ["acme/secret"]},
        "ownSecretsRequired": True,
        "endsAt": "2031-01-01T00:00:00Z",
    }
    plan = plan_of(operate("create-tenant", tenantId="said", name="Said", plan=wish))
    assert {name: plan[name] for name in wish} == wish | {"endsAt": "2031-01-01T00:00:00.000Z"}


@pytest.mark.parametrize(
    ("tenant_id", "name", "wrong"),
    [
        ("A#B", "x", "tenantId"),
        ("x", "x", "tenantId"),
        ("a b", "x", "tenantId"),
        ("fine", "", "name"),
        ("fine", 5, "name"),
    ],
)
def test_a_wish_for_a_tenant_is_checked(operate, tenant_id, name, wrong):
    answer = operate("create-tenant", tenantId=tenant_id, name=name)
    assert (answer["success"], answer["error"]["code"], paths(answer)) == (False, "VALIDATION_ERROR", [wrong])


def test_a_tenant_cannot_be_made_twice(api, operate):
    answer = operate("create-tenant", tenantId=api.tenant_id, name="Another")
    assert answer["error"]["details"]["errors"] == [
        {"path": "tenantId", "message": "is the name of a tenant that exists"}
    ]
    assert operate("show-tenant", tenantId=api.tenant_id)["data"]["tenant"]["name"] == "A tenant"


@pytest.mark.parametrize(
    "event", [{}, {"operation": "drop"}, {"operation": None}, {"operation": ["show-tenant"]}], ids=str
)
def test_an_operation_that_there_is_not_is_refused_with_those_there_are(functions, event):
    answer = functions["operate"].handler(event, LambdaContext())
    assert (answer["success"], paths(answer)) == (False, ["operation"])
    assert "create-tenant" in answer["error"]["details"]["errors"][0]["message"]


def test_a_field_that_means_nothing_is_refused_by_name(api, operate):
    answer = operate("show-tenant", tenantId=api.tenant_id, concurrentRuns=5)
    assert paths(answer) == ["concurrentRuns"]


def test_a_missing_field_is_required(operate):
    answer = operate("suspend-tenant")
    assert sorted(paths(answer)) == ["reason", "tenantId"]


@pytest.mark.parametrize("operation", TENANT_OPERATIONS)
def test_a_tenant_that_is_not_there_is_told_to_operators(operate, operation):
    answer = operate(operation, tenantId="nobody", **FIELDS.get(operation, {}))
    assert (answer["success"], answer["error"]["code"]) == (False, "NOT_FOUND")
    assert answer["error"]["message"] == "There is no such tenant."
    assert answer["error"]["retryable"] is False


def test_a_tenant_is_shown_with_its_use(make_api, operate):
    api = make_api(plan={"concurrentRuns": 1})
    api.dispatch(timeoutSeconds=600)
    api.dispatch(timeoutSeconds=300)
    tenant = operate("show-tenant", tenantId=api.tenant_id)["data"]["tenant"]
    assert (tenant["activeRuns"], tenant["queuedRuns"]) == (1, 1)
    assert (tenant["usage"]["dispatches"], tenant["usage"]["agentMinutes"]) == (2, 15)
    assert tenant["usage"]["costUsd"] == pytest.approx(0.002498, abs=0.000001)


def test_the_use_of_a_month_has_its_name_and_end(make_timed_api):
    api = make_timed_api()
    event = {"operation": "show-tenant", "tenantId": api.tenant_id}
    used = api.functions["operate"].handler(event, LambdaContext())["data"]["tenant"]["usage"]
    assert (used["period"], used["resetsAt"]) == ("2030-01", "2030-02-01T00:00:00.000Z")


def test_the_use_of_a_trial_never_begins_anew(make_api, operate):
    api = make_api(plan={"kind": "trial"})
    used = operate("show-tenant", tenantId=api.tenant_id)["data"]["tenant"]["usage"]
    assert (used["period"].startswith("trial-"), used["resetsAt"]) == (True, None)


def test_no_secret_of_a_tenant_is_shown_again(api, operate):
    shown = str(operate("show-tenant", tenantId=api.tenant_id)) + str(operate("list-tenants", limit=100))
    assert api.key not in shown


def ids(answer):
    """The tenants on a page."""
    return [tenant["tenantId"] for tenant in answer["data"]["tenants"]]


def follow(operate, limit):
    """The ids of every page."""
    page = operate("list-tenants", limit=limit)
    found = [ids(page)]
    while page["data"]["nextCursor"] is not None:
        page = operate("list-tenants", limit=limit, cursor=page["data"]["nextCursor"])
        found.append(ids(page))
    return found


def test_tenants_are_listed_over_disjoint_and_complete_pages(make_api, operate):
    made = {make_api().tenant_id for _ in range(5)}
    pages = follow(operate, limit=2)
    seen = [tenant_id for page in pages for tenant_id in page]
    assert len(set(seen)) == len(seen)
    assert set(seen) >= made
    assert {len(page) for page in pages[:-1]} == {2}


@pytest.mark.parametrize("limit", [0, 101, "5"])
def test_a_page_of_tenants_has_its_bounds(operate, limit):
    assert paths(operate("list-tenants", limit=limit)) == ["limit"]


def test_a_suspended_tenant_says_why_and_a_resumed_one_nothing(api, operate):
    suspended = operate("suspend-tenant", tenantId=api.tenant_id, reason="unpaid")["data"]["tenant"]
    resumed = operate("resume-tenant", tenantId=api.tenant_id)["data"]["tenant"]
    assert (suspended["status"], suspended["suspendedReason"]) == ("SUSPENDED", "unpaid")
    assert (resumed["status"], resumed["suspendedReason"]) == ("ACTIVE", None)


def test_suspending_again_changes_the_reason(api, operate):
    operate("suspend-tenant", tenantId=api.tenant_id, reason="unpaid")
    again = operate("suspend-tenant", tenantId=api.tenant_id, reason="abuse")
    assert again["data"]["tenant"]["suspendedReason"] == "abuse"


def test_resuming_what_is_not_suspended_changes_nothing(api, operate):
    assert operate("resume-tenant", tenantId=api.tenant_id)["data"]["tenant"]["status"] == "ACTIVE"


def test_what_is_not_named_of_a_plan_stays(make_api, operate):
    api = make_api(plan={"dispatches": 5, "agents": ["shell"]})
    plan = plan_of(operate("set-plan", tenantId=api.tenant_id, plan={"dispatches": 6}))
    assert (plan["dispatches"], plan["agents"]) == (6, ["shell"])


@pytest.mark.parametrize(
    "field",
    [
        "dispatches",
        "agentMinutes",
        "workspaces",
        "monthlyBudgetUsd",
        "largestCpuUnits",
        "largestMemoryMb",
        "agents",
        "endsAt",
    ],
)
def test_null_removes_a_limit(make_api, operate, field):
    api = make_api(
        plan={
            "dispatches": 5,
            "agentMinutes": 5,
            "workspaces": 5,
            "monthlyBudgetUsd": 5,
            "largestCpuUnits": 5,
            "largestMemoryMb": 5,
            "agents": ["shell"],
            "endsAt": "2031-01-01T00:00:00Z",
        }
    )
    assert plan_of(operate("set-plan", tenantId=api.tenant_id, plan={field: None}))[field] is None


def test_null_removes_the_rules_for_repositories(make_api, operate):
    api = make_api(plan={"repositories": {"allow": ["acme/*"], "deny": ["acme/x"]}})
    plan = plan_of(operate("set-plan", tenantId=api.tenant_id, plan={"repositories": None}))
    assert plan["repositories"] == {"allow": None, "deny": []}


def test_another_kind_begins_with_its_own_defaults(make_api, operate):
    api = make_api(plan={"kind": "trial"})
    plan = plan_of(operate("set-plan", tenantId=api.tenant_id, plan={"kind": "unlimited", "queuedRuns": 7}))
    assert [plan[name] for name in ("kind", "concurrentRuns", "queuedRuns", "dispatches", "endsAt")] == [
        "unlimited",
        1_000,
        7,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("plan", "wrong"),
    [
        ({"concurrentRuns": 0}, "plan.concurrentRuns"),
        ({"concurrentRuns": 1_001}, "plan.concurrentRuns"),
        ({"concurrentRuns": None}, "plan.concurrentRuns"),
        ({"queuedRuns": -1}, "plan.queuedRuns"),
        ({"queuedRuns": None}, "plan.queuedRuns"),
        ({"longestTimeoutSeconds": 29}, "plan.longestTimeoutSeconds"),
        ({"dispatches": -1}, "plan.dispatches"),
        ({"dispatches": 1.5}, "plan.dispatches"),
        ({"monthlyBudgetUsd": -1}, "plan.monthlyBudgetUsd"),
        ({"agents": ["nobody"]}, "plan.agents.0"),
        ({"endsAt": "tomorrow"}, "plan.endsAt"),
        ({"endsAt": "2031-01-01T00:00:00"}, "plan.endsAt"),
        ({"kind": "free"}, "plan.kind"),
        ({"seats": 5}, "plan.seats"),
    ],
    ids=str,
)
def test_a_wish_for_a_plan_is_checked(api, operate, plan, wrong):
    answer = operate("set-plan", tenantId=api.tenant_id, plan=plan)
    assert (answer["error"]["code"], paths(answer)) == ("VALIDATION_ERROR", [wrong])


def test_a_trial_is_extended_from_its_end(make_timed_api):
    api = make_timed_api(plan={"kind": "trial"})
    event = {"operation": "extend-trial", "tenantId": api.tenant_id, "days": 7}
    plan = plan_of(api.functions["operate"].handler(event, LambdaContext()))
    assert plan["endsAt"] == "2030-01-22T12:00:00.000Z"


def test_a_trial_that_is_over_is_extended_from_now(make_timed_api, clock):
    api = make_timed_api(plan={"kind": "trial"})
    clock.move(days=100)
    event = {"operation": "extend-trial", "tenantId": api.tenant_id, "days": 1}
    plan = plan_of(api.functions["operate"].handler(event, LambdaContext()))
    assert plan["endsAt"] == "2030-04-12T12:00:00.000Z"


def test_what_is_no_trial_is_not_extended(api, operate):
    answer = operate("extend-trial", tenantId=api.tenant_id, days=7)
    assert (answer["error"]["code"], paths(answer)) == ("VALIDATION_ERROR", ["tenantId"])


@pytest.mark.parametrize("days", [0, 366, 1.5, None])
def test_a_trial_is_extended_within_bounds(api, operate, days):
    assert paths(operate("extend-trial", tenantId=api.tenant_id, days=days)) == ["days"]


def test_a_lost_key_is_recovered_with_every_scope(api, operate):
    data = operate("create-key", tenantId=api.tenant_id, name="recovered")["data"]
    api.key = data["apiKey"]
    assert (api.get("/auth/whoami").data["scopes"], data["key"]["createdBy"]) == (data["key"]["scopes"], "operator")
    assert len(data["key"]["scopes"]) == 10


def test_a_suspended_tenant_gets_no_key(api, operate):
    operate("suspend-tenant", tenantId=api.tenant_id, reason="unpaid")
    assert operate("create-key", tenantId=api.tenant_id)["error"]["code"] == "TENANT_SUSPENDED"


def test_operators_put_a_tenants_own_switch_on_and_lift_it(api, operate):
    on = operate("set-kill-switch", tenantId=api.tenant_id, reason="abuse")["data"]["tenant"]["killSwitch"]
    refused = api.dispatch()
    off = operate("lift-kill-switch", tenantId=api.tenant_id)["data"]["tenant"]["killSwitch"]
    assert (on["on"], on["reason"], on["setBy"], off["on"]) == (True, "abuse", "operator", False)
    assert (refused.error["code"], refused.error["details"]["scope"]) == ("KILL_SWITCH_ON", "tenant")
    assert api.dispatch().status == 201


@pytest.mark.parametrize("operation", ["set-kill-switch", "lift-kill-switch"])
def test_a_switch_of_nobody_is_refused(operate, operation):
    assert operate(operation, tenantId="nobody", **FIELDS[operation])["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"allow": ["acme/*"]}, {"allow": ["acme/*"], "deny": ["acme/x"]}),
        ({"deny": []}, {"allow": ["other/*"], "deny": []}),
        ({"allow": None}, {"allow": None, "deny": ["acme/x"]}),
    ],
    ids=str,
)
def test_a_half_of_the_rules_that_is_not_named_stays(make_api, operate, change, expected):
    api = make_api(plan={"repositories": {"allow": ["other/*"], "deny": ["acme/x"]}})
    assert (
        plan_of(operate("set-plan", tenantId=api.tenant_id, plan={"repositories": change}))["repositories"] == expected
    )


def test_every_change_leaves_its_event(api, api_deployment, operate):
    operate("suspend-tenant", tenantId=api.tenant_id, reason="unpaid")
    operate("resume-tenant", tenantId=api.tenant_id)
    operate("set-plan", tenantId=api.tenant_id, plan={"dispatches": 5})
    operate("create-key", tenantId=api.tenant_id)
    items = api_deployment.dynamodb.scan(TableName=api_deployment.settings.audit_table)["Items"]
    mine = [item for item in items if item["tenant_id"]["S"] == api.tenant_id]
    types = [item["type"]["S"] for item in sorted(mine, key=lambda item: item["event_id"]["S"])]
    assert sorted(types) == [
        "key.created",
        "key.created",
        "plan.changed",
        "tenant.created",
        "tenant.resumed",
        "tenant.suspended",
    ]
    assert {item["details"]["M"].get("by", {}).get("S", "operator") for item in mine} == {"operator"}
