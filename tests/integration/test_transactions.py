"""What only the tables have: the conditions of each write, and what a transaction that meets another one does."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from builders import NOON, SECRET, a_key, a_run, a_tenant, an_admission, an_event, later

from outpost.adapters import dynamo_transaction
from outpost.adapters.dynamo_accounts import DynamoAccounts
from outpost.adapters.dynamo_api_keys import DynamoApiKeys
from outpost.adapters.dynamo_items import ItemMalformed, to_item
from outpost.adapters.dynamo_keyring import DynamoKeyring
from outpost.adapters.dynamo_transaction import write_transaction
from outpost.domain.api_key import KeyStatus
from outpost.domain.errors import OutpostError, TenantSuspended, Unavailable
from outpost.domain.run import UNRECORDED_SIZE, RunStatus
from outpost.domain.tenant import TenantStatus
from outpost.ports import NotAdmitted

ADMISSION = an_admission()
TENANT_KEY = {"pk": {"S": "TENANT#acme"}, "sk": {"S": "TENANT"}}


def set_attribute(deployment, table, key, name, value):
    deployment.dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues=to_item({":value": value}),
    )


def set_on_key(deployment, name, value):
    key = to_item({"key_hash": a_key().key_hash})
    set_attribute(deployment, deployment.settings.api_keys_table, key, name, value)


def events(deployment):
    return deployment.dynamodb.scan(TableName=deployment.settings.audit_table)["Items"]


def test_a_tenant_suspended_meanwhile_is_refused_in_the_transaction(deployment, dynamo_runs):
    set_attribute(deployment, deployment.settings.tenants_table, TENANT_KEY, "status", TenantStatus.SUSPENDED)
    with pytest.raises(NotAdmitted) as found:
        dynamo_runs.create(a_run(), an_event(), ADMISSION)
    assert found.value.tenant.status is TenantStatus.SUSPENDED
    assert events(deployment) == []


def test_a_tenant_removed_meanwhile_is_refused_in_the_transaction(deployment, dynamo_runs):
    deployment.dynamodb.delete_item(TableName=deployment.settings.tenants_table, Key=TENANT_KEY)
    with pytest.raises(TenantSuspended):
        dynamo_runs.create(a_run(), an_event(), ADMISSION)
    assert events(deployment) == []


def test_a_slot_is_freed_of_a_tenant_that_is_there_only(deployment, dynamo_runs):
    dynamo_runs.create(a_run(), an_event(), ADMISSION)
    deployment.dynamodb.delete_item(TableName=deployment.settings.tenants_table, Key=TENANT_KEY)
    ended = a_run().ended(RunStatus.FAILED, None, later(seconds=5))
    with pytest.raises(OutpostError):
        dynamo_runs.save(a_run(), ended, an_event(event_id="01Q3ENHRG0ENDED"))
    assert "Item" not in deployment.dynamodb.get_item(TableName=deployment.settings.tenants_table, Key=TENANT_KEY)


def test_a_key_revoked_meanwhile_is_refused_in_the_transaction(deployment, dynamo_runs):
    set_on_key(deployment, "status", KeyStatus.REVOKED)
    with pytest.raises(NotAdmitted) as found:
        dynamo_runs.create(a_run(), an_event(), ADMISSION)
    assert found.value.key_is_invalid
    assert events(deployment) == []


def test_a_key_expired_meanwhile_is_refused_in_the_transaction(deployment, dynamo_runs):
    set_on_key(deployment, "expires_at", "2030-01-01T11:59:59.999Z")
    with pytest.raises(NotAdmitted) as found:
        dynamo_runs.create(a_run(), an_event(), ADMISSION)
    assert found.value.key_is_invalid


def test_a_key_that_has_not_expired_is_admitted(deployment, dynamo_runs):
    set_on_key(deployment, "expires_at", "2030-01-01T12:00:00.001Z")
    dynamo_runs.create(a_run(), an_event(), ADMISSION)
    assert dynamo_runs.get("acme", a_run().run_id) is not None


def test_every_change_has_its_event_in_the_same_transaction(deployment, dynamo_runs):
    dynamo_runs.create(a_run(), an_event(), ADMISSION)
    dynamo_runs.save(a_run(), a_run(status=RunStatus.CANCELLING), an_event(event_id="01Q3ENHRG0SECOND"))
    assert len(events(deployment)) == 2


def test_an_event_is_never_written_over(deployment, dynamo_runs):
    dynamo_runs.create(a_run(), an_event(), ADMISSION)
    with pytest.raises(Exception, match="does not hold"):
        dynamo_runs.create(replace(a_run(), run_id="01Q3ENHRG0ZZZZZZZZZZZZZZZZ"), an_event(), ADMISSION)
    assert len(events(deployment)) == 1


def test_a_run_is_never_created_over(deployment, dynamo_runs):
    dynamo_runs.create(a_run(), an_event(), ADMISSION)
    with pytest.raises(Exception, match="does not hold"):
        dynamo_runs.create(a_run(task="other"), an_event(event_id="01Q3ENHRG0SECOND"), ADMISSION)
    assert dynamo_runs.get("acme", a_run().run_id).task == "echo hello"


def test_a_key_comes_back_as_it_was_written(deployment):
    key = a_key(expires_at=later(days=30))
    DynamoAccounts(deployment.dynamodb, deployment.settings).create_tenant(a_tenant(), key, [])
    assert DynamoKeyring(deployment.dynamodb, deployment.settings).get("acme", key.key_id) == key


def test_a_tenant_is_made_once(deployment, dynamo_runs):
    accounts = DynamoAccounts(deployment.dynamodb, deployment.settings)
    assert not accounts.create_tenant(a_tenant(), a_key(key_hash="f" * 64, key_id="01Q3ENHRG0OTHER"), [])
    assert DynamoApiKeys(deployment.dynamodb, deployment.settings).use("f" * 64, NOON) is None


def test_a_keys_hash_is_one_keys_only(deployment, dynamo_runs):
    accounts = DynamoAccounts(deployment.dynamodb, deployment.settings)
    assert not accounts.create_tenant(a_tenant(tenant_id="other"), a_key(tenant_id="other"), [])
    assert accounts.get("other") is None


def test_the_secret_is_in_no_table(deployment, dynamo_runs):
    tables = deployment.dynamodb.list_tables()["TableNames"]
    stored = str([deployment.dynamodb.scan(TableName=table)["Items"] for table in tables])
    assert a_key().key_hash in stored
    assert SECRET[4:44] not in stored.replace(a_key().key_hash, "")


class ConflictingClient:
    """A client whose transactions meet others a number of times; it is AWS that is played here, not our code."""

    def __init__(self, reasons, times):
        self.reasons, self.times, self.calls = reasons, times, 0

    def transact_write_items(self, TransactItems):  # noqa: N803 boto3's name
        self.calls += 1
        if self.calls <= self.times:
            answer = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": self.reasons}
            raise ClientError(answer, "TransactWriteItems")


@pytest.fixture
def no_waiting(monkeypatch):
    monkeypatch.setattr(dynamo_transaction.time, "sleep", lambda _: None)


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_met_another_one_is_tried_again(no_waiting, code):
    client = ConflictingClient([{"Code": "None"}, {"Code": code}], times=3)
    write_transaction(client, [{}, {}])
    assert client.calls == 4


def test_a_broken_connection_is_no_defect():
    class Unreachable:
        def transact_write_items(self, TransactItems):  # noqa: N803 boto3's name
            raise ReadTimeoutError(endpoint_url="https://dynamodb.example.com")

    with pytest.raises(Unavailable):
        write_transaction(Unreachable(), [{}])


def test_a_transaction_is_not_tried_for_ever(no_waiting):
    client = ConflictingClient([{"Code": "TransactionConflict"}], times=10**6)
    with pytest.raises(Unavailable):
        write_transaction(client, [{}])
    assert client.calls == dynamo_transaction.ATTEMPTS


def test_a_transaction_that_is_wrong_is_not_tried_again(no_waiting):
    client = ConflictingClient([{"Code": "ValidationError"}], times=1)
    with pytest.raises(Unavailable):
        write_transaction(client, [{}])
    assert client.calls == 1


def test_a_malformed_item_is_named_without_its_values(deployment, dynamo_runs):
    dynamo_runs.create(a_run(task="a task of its own"), an_event(), ADMISSION)
    key = {"pk": {"S": "TENANT#acme"}, "sk": {"S": f"RUN#{a_run().run_id}"}}
    set_attribute(deployment, deployment.settings.jobs_table, key, "status", "a status of its own")
    with pytest.raises(ItemMalformed) as malformed:
        dynamo_runs.get("acme", a_run().run_id)
    assert str(malformed.value) == "Run: status"
    assert malformed.value.__cause__ is None


def test_a_run_of_the_release_before_sizes_were_recorded_can_be_read(deployment, dynamo_runs):
    dynamo_runs.create(a_run(), an_event(), ADMISSION)
    key = {"pk": {"S": "TENANT#acme"}, "sk": {"S": f"RUN#{a_run().run_id}"}}
    deployment.dynamodb.update_item(
        TableName=deployment.settings.jobs_table,
        Key=key,
        UpdateExpression="REMOVE #size",
        ExpressionAttributeNames={"#size": "size"},
    )
    assert dynamo_runs.get("acme", a_run().run_id) == a_run(size=UNRECORDED_SIZE)
