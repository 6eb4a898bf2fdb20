"""A transaction on the embedded DynamoDB is done whole or not at all, and costs what its own items cost."""

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.dynamodb.models.table import Table

from outpost_local.dynamodb_transactions import bridge_transactions
from outpost_local.patching import Patches

TABLE = "things"


@pytest.fixture
def dynamodb(monkeypatch):
    """A table with the things `kept` and `changed`, on a bridged moto."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    patches = Patches()
    bridge_transactions(patches)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        client.put_item(TableName=TABLE, Item=key("kept") | {"count": {"N": "1"}})
        client.put_item(TableName=TABLE, Item=key("changed") | {"count": {"N": "1"}})
        yield client
    patches.undo()


def key(name):
    return {"pk": {"S": "a"}, "sk": {"S": name}}


def write(kind, name, **more):
    return {kind: {"TableName": TABLE, **({"Item": key(name)} if kind == "Put" else {"Key": key(name)}), **more}}


def counting(name):
    return write(
        "Update",
        name,
        UpdateExpression="ADD #count :one",
        ExpressionAttributeNames={"#count": "count"},
        ExpressionAttributeValues={":one": {"N": "1"}},
    )


def everything(dynamodb):
    return {item["sk"]["S"]: item.get("count", {}).get("N") for item in dynamodb.scan(TableName=TABLE)["Items"]}


REFUSED = write("ConditionCheck", "kept", ConditionExpression="attribute_not_exists(pk)")


def test_a_transaction_that_holds_is_done(dynamodb):
    dynamodb.transact_write_items(TransactItems=[write("Put", "new"), counting("changed"), write("Delete", "kept")])
    assert everything(dynamodb) == {"new": None, "changed": "2"}


def test_of_a_transaction_that_does_not_hold_nothing_is_left(dynamodb):
    writes = [write("Put", "new"), counting("changed"), counting("made"), REFUSED]
    with pytest.raises(ClientError) as refused:
        dynamodb.transact_write_items(TransactItems=writes)
    reasons = refused.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "None", "None", "ConditionalCheckFailed"]
    assert everything(dynamodb) == {"kept": "1", "changed": "1"}


def test_what_a_transaction_had_deleted_is_there_again(dynamodb):
    with pytest.raises(ClientError):
        dynamodb.transact_write_items(TransactItems=[write("Delete", "changed"), REFUSED])
    assert everything(dynamodb) == {"kept": "1", "changed": "1"}


def test_no_table_is_copied_for_it(dynamodb, monkeypatch):
    copied = []
    monkeypatch.setattr(Table, "__deepcopy__", lambda table, _: copied.append(table), raising=False)
    dynamodb.transact_write_items(TransactItems=[write("Put", "new")])
    assert copied == []
