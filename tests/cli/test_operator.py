"""`outpost operator`: what each command asks of the operate function, and what it shows."""

import json
from datetime import UTC, datetime, timedelta

import pytest

FUNCTION = "/2015-03-31/functions/outpost-operate-dev/invocations"
SECRET = "otp_" + "d" * 64
SWITCH_ON = {"on": True, "reason": "a broken release", "setAt": "2026-01-01T12:00:00.000Z", "setBy": "operator"}


@pytest.fixture
def tenant(service):
    service.on("POST", FUNCTION, service.json({"success": True, "data": {"tenant": service.make_tenant()}}))


@pytest.fixture
def issued(service) -> dict[str, object]:
    data = {"tenant": service.make_tenant(), "key": service.make_key(), "apiKey": SECRET}
    service.on("POST", FUNCTION, service.json({"success": True, "data": data}))
    return data


@pytest.fixture
def deployment(service) -> dict[str, object]:
    breakers = [
        {"agent": "shell", "state": "closed", "failures": 0, "retryAfterSeconds": None},
        {"agent": "aider", "state": "open", "failures": 5, "retryAfterSeconds": 42},
    ]
    found = {"activeRuns": 3, "limit": 100, "killSwitch": service.make_switch(), "breakers": breakers}
    service.on("POST", FUNCTION, service.json({"success": True, "data": {"deployment": found}}))
    return found


def test_a_tenant_is_made_with_its_name_and_the_secret_is_alone_on_stdout(operate, service, issued):
    result = operate("tenant", "create", "example-shop", "--name", "Example Shop")
    assert service.seen[0].document == {
        "operation": "create-tenant",
        "tenantId": "example-shop",
        "name": "Example Shop",
    }
    assert result.stdout == f"{SECRET}\n"
    assert "Made the tenant example-shop." in result.stderr


def test_a_new_tenant_with_json_is_the_data(operate, issued):
    told = operate("tenant", "create", "example-shop", "--name", "Example Shop", "--json")
    assert json.loads(told.stdout) == issued


def test_every_option_of_a_plan_becomes_its_field_of_the_contract(operate, service, tenant):
    operate(
        *("tenant", "set-plan", "example-shop", "--plan", "standard", "--concurrent-runs", "20", "--queued-runs", "0"),
        *("--dispatches", "500", "--agent-minutes", "600", "--workspaces", "3", "--longest-timeout", "2h"),
        *("--largest-cpu-units", "2048", "--largest-memory-mb", "8192", "--monthly-budget-usd", "99.5"),
        *("--run-budget-usd", "2.5", "--run-tokens", "500000", "--workspace-days", "14", "--workspace-mb", "1024"),
        *("--agent", "shell", "--agent", "aider", "--allow-repository", "example/*"),
        *("--deny-repository", "example/secret", "--own-secrets", "required", "--ends-at", "2027-01-31T00:00:00Z"),
    )
    assert service.seen[0].document == {
        "operation": "set-plan",
        "tenantId": "example-shop",
        "plan": {
            "kind": "standard",
            "concurrentRuns": 20,
            "queuedRuns": 0,
            "dispatches": 500,
            "agentMinutes": 600,
            "workspaces": 3,
            "workspaceDays": 14,
            "workspaceMb": 1024,
            "longestTimeoutSeconds": 7200,
            "largestCpuUnits": 2048,
            "largestMemoryMb": 8192,
            "monthlyBudgetUsd": 99.5,
            "runBudgetUsd": 2.5,
            "runTokens": 500_000,
            "agents": ["shell", "aider"],
            "repositories": {"allow": ["example/*"], "deny": ["example/secret"]},
            "ownSecretsRequired": True,
            "endsAt": "2027-01-31T00:00:00.000Z",
        },
    }


def test_a_tenant_is_made_with_a_plan(operate, service, issued):
    operate("tenant", "create", "try-out", "--name", "Try-out", "--plan", "trial", "--own-secrets", "optional")
    assert service.seen[0].document["plan"] == {"kind": "trial", "ownSecretsRequired": False}


def test_limits_are_taken_away_by_name(operate, service, tenant):
    limits = ["dispatches", "agent-minutes", "workspaces", "cpu", "memory", "monthly-budget"]
    limits += ["run-budget", "run-tokens", "agents", "repositories", "end"]
    operate("tenant", "set-plan", "example-shop", *(f"--no-limit={limit}" for limit in limits))
    fields = ["dispatches", "agentMinutes", "workspaces", "largestCpuUnits", "largestMemoryMb", "monthlyBudgetUsd"]
    fields += ["runBudgetUsd", "runTokens", "agents", "repositories", "endsAt"]
    assert service.seen[0].document["plan"] == dict.fromkeys(fields)


def test_an_end_may_be_told_from_now_on(operate, service, tenant):
    operate("tenant", "set-plan", "example-shop", "--ends-at", "90d")
    end = datetime.fromisoformat(service.seen[0].document["plan"]["endsAt"])
    assert abs(end - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["tenant", "set-plan", "example-shop"],
        ["tenant", "set-plan", "example-shop", "--dispatches", "5", "--no-limit", "dispatches"],
        ["tenant", "set-plan", "example-shop", "--workspace-days", "0"],
        ["tenant", "set-plan", "example-shop", "--workspace-days", "91"],
        ["tenant", "set-plan", "example-shop", "--workspace-mb", "5121"],
        ["tenant", "set-plan", "example-shop", "--run-tokens", "5", "--no-limit", "run-tokens"],
        ["tenant", "set-plan", "example-shop", "--no-limit", "queue"],
        ["tenant", "set-plan", "example-shop", "--longest-timeout", "soon"],
        ["tenant", "create", "example-shop"],
        ["tenant", "suspend", "example-shop"],
        ["tenant", "extend-trial", "example-shop", "--days", "0"],
        ["tenant", "extend-trial", "example-shop", "--days", "366"],
        ["kill-switch", "on"],
    ],
)
def test_wrong_usage_is_refused_before_anything_is_sent(operate, service, arguments):
    assert operate(*arguments).exit_code == 2
    assert service.seen == []


@pytest.mark.parametrize(
    ("arguments", "wish"),
    [
        (["show"], {"operation": "show-tenant"}),
        (["suspend", "--reason", "unpaid"], {"operation": "suspend-tenant", "reason": "unpaid"}),
        (["resume"], {"operation": "resume-tenant"}),
        (["extend-trial", "--days", "14"], {"operation": "extend-trial", "days": 14}),
    ],
)
def test_what_is_done_to_a_tenant_is_one_operation_and_its_data_comes_with_json(
    operate, service, tenant, arguments, wish
):
    result = operate("tenant", arguments[0], "example-shop", *arguments[1:], "--json")
    assert service.seen[0].document == {**wish, "tenantId": "example-shop"}
    assert json.loads(result.stdout) == service.make_tenant()


def test_a_tenant_is_shown_with_its_state_its_use_and_its_plan(operate, service):
    suspended = service.make_tenant(status="SUSPENDED", suspendedReason="unpaid", killSwitch={**SWITCH_ON})
    service.on("POST", FUNCTION, service.json({"success": True, "data": {"tenant": suspended}}))
    shown = [" ".join(line.split()) for line in operate("tenant", "show", "example-shop").stdout.splitlines()]
    assert "Status SUSPENDED" in shown
    assert "Suspended for unpaid" in shown
    assert "Runs 2 active, 1 waiting" in shown
    assert "Used 7 dispatches, 12.5 agent minutes, $0.50" in shown
    assert "Kill switch on" in shown
    assert "Kind standard" in shown
    assert "Run budget no limit" in shown


def test_the_list_of_tenants_goes_through_every_page(operate, service):
    first = {"tenants": [service.make_tenant()], "nextCursor": "c1"}
    last = {"tenants": [service.make_tenant(tenantId="try-out", queuedRuns=0)], "nextCursor": None}
    answers = [service.json({"success": True, "data": page}) for page in (first, last)]
    service.on("POST", FUNCTION, *answers)
    rows = [line.split() for line in operate("tenant", "list", "--all").stdout.splitlines()[1:]]
    assert rows[0] == ["example-shop", "ACTIVE", "Example", "Shop", "standard", "never", "2/10", "1/100"]
    assert rows[1][0] == "try-out"
    assert [seen.document for seen in service.seen] == [
        {"operation": "list-tenants", "limit": 100},
        {"operation": "list-tenants", "limit": 100, "cursor": "c1"},
    ]


def test_a_key_is_made_for_a_tenant_that_lost_its_own(operate, service, issued):
    result = operate("key", "create", "example-shop", "--name", "rescue")
    assert service.seen[0].document == {"operation": "create-key", "tenantId": "example-shop", "name": "rescue"}
    assert result.stdout == f"{SECRET}\n"


def test_the_deployment_is_shown_with_its_slots_and_breakers(operate, service, deployment):
    shown = operate("show").stdout
    assert service.seen[0].document == {"operation": "show-deployment"}
    assert "Active runs  3 of 100\n" in shown
    assert [line.split() for line in shown.splitlines()[-2:]] == [
        ["shell", "closed", "0"],
        ["aider", "open", "for", "42s", "5"],
    ]


@pytest.mark.parametrize(
    ("arguments", "wish"),
    [
        (["on", "--reason", "r"], {"operation": "set-kill-switch", "reason": "r", "stopRunning": False}),
        (
            ["on", "--reason", "r", "--stop-running"],
            {"operation": "set-kill-switch", "reason": "r", "stopRunning": True},
        ),
        (["off"], {"operation": "lift-kill-switch"}),
    ],
)
def test_the_switch_for_all_is_one_operation_and_its_data_comes_with_json(
    operate, service, deployment, arguments, wish
):
    result = operate("kill-switch", *arguments, "--json")
    assert service.seen[0].document == wish
    assert json.loads(result.stdout) == deployment


@pytest.mark.parametrize(
    ("arguments", "wish"),
    [
        (
            ["on", "--tenant", "example-shop", "--reason", "r", "--stop-running"],
            {"operation": "set-kill-switch", "tenantId": "example-shop", "reason": "r", "stopRunning": True},
        ),
        (["off", "--tenant", "example-shop"], {"operation": "lift-kill-switch", "tenantId": "example-shop"}),
    ],
)
def test_the_switch_of_one_tenant_shows_that_tenant(operate, service, tenant, arguments, wish):
    result = operate("kill-switch", *arguments, "--json")
    assert service.seen[0].document == wish
    assert json.loads(result.stdout) == service.make_tenant()
