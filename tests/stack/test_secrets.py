"""A tenant's own secrets through the real template."""

import json
from pathlib import Path

import pytest
from policies import refused

pytestmark = pytest.mark.xdist_group("stack")

CANARY = "canary-4f1d5c-of-a-tenant"
SECRET_ID = "outpost/dev/tenants/local/DEPLOY_KEY"


def put(caller, value=CANARY):
    """PUT /secrets/DEPLOY_KEY."""
    return caller.http.put("/secrets/DEPLOY_KEY", json={"value": value})


def test_a_secret_is_kept_replaced_and_deleted(caller):
    vault = caller.stack.aws.client("secretsmanager")
    statuses = [put(caller).status_code, put(caller, f"{CANARY} again").status_code]
    kept = vault.get_secret_value(SecretId=SECRET_ID)["SecretString"]
    listed = caller.http.get("/secrets").json()["data"]["secrets"]
    statuses += [caller.http.delete("/secrets/DEPLOY_KEY").status_code for _ in range(2)]
    assert (statuses, kept) == ([201, 200, 200, 404], f"{CANARY} again")
    assert [secret["name"] for secret in listed] == ["DEPLOY_KEY"]
    assert caller.http.get("/secrets").json()["data"]["secrets"] == []


def test_every_call_is_one_that_the_functions_policy_allows(caller):
    put(caller)
    put(caller)
    caller.http.delete("/secrets/DEPLOY_KEY")
    calls = [call for call in caller.stack.calls if call.function == "AccountFunction"]
    assert {call.operation for call in calls} >= {"CreateSecret", "PutSecretValue", "DeleteSecret", "Query"}
    assert sorted({use for call in calls for use in refused(call)}) == []


def test_a_value_is_in_no_record_event_or_log(caller):
    put(caller)
    put(caller, f" {CANARY}\0")
    dynamodb = caller.stack.aws.client("dynamodb")
    tables = dynamodb.list_tables()["TableNames"]
    records = json.dumps([dynamodb.scan(TableName=table)["Items"] for table in tables])
    logs = Path(caller.stack.log_path).read_text()
    assert "DEPLOY_KEY" in records
    assert "PUT /secrets/{name}" in logs
    assert CANARY not in records + logs


def test_a_run_that_asks_for_a_secret_has_it_and_shows_it_not(caller):
    put(caller)
    run_id = caller.dispatch('echo "it is $DEPLOY_KEY"; test ${#DEPLOY_KEY} -eq 25', secrets=["DEPLOY_KEY"])
    run = caller.wait(run_id)
    assert (run["status"], run["secrets"]) == ("COMPLETED", ["DEPLOY_KEY"])
    assert "it is [redacted]" in [line["message"] for line in caller.lines(run_id)]
    used = {use for call in caller.stack.calls for use in refused(call)}
    assert used == set()


def test_a_secret_whose_value_is_gone_begins_nothing(caller):
    put(caller)
    caller.stack.aws.client("secretsmanager").delete_secret(SecretId=SECRET_ID, ForceDeleteWithoutRecovery=True)
    run = caller.wait(caller.dispatch("true", secrets=["DEPLOY_KEY"]))
    assert (run["status"], run["error"]["code"]) == ("FAILED", "SECRET_NOT_FOUND")
