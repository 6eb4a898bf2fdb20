"""What moto answers of DynamoDB's values is the same in one step as in its own many."""

import boto3
import pytest
from moto import mock_aws

from outpost_local.dynamodb_answers import bridge_answers
from outpost_local.patching import Patches

ITEM = {
    "pk": {"S": "a"},
    "text": {"S": 'é \u2028 " \\'},
    "empty": {"S": ""},
    "number": {"N": "1.50"},
    "yes": {"BOOL": True},
    "no": {"BOOL": False},
    "nothing": {"NULL": True},
    "map": {"M": {"S": {"S": "named as a kind is"}, "deep": {"M": {"list": {"L": [{"N": "1"}, {"S": "x"}]}}}}},
    "none": {"M": {}},
    "list": {"L": []},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "bytes": {"B": b"\0\xff"},
    "map of bytes": {"M": {"bytes": {"B": b"\0\xff"}}},
}


@pytest.fixture
def table(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    patches = Patches()
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="t",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client.put_item(TableName="t", Item=ITEM)
        yield client, patches
    patches.undo()


def test_an_item_is_answered_as_it_was_put(table):
    client, patches = table
    without = client.get_item(TableName="t", Key={"pk": {"S": "a"}})["Item"]
    bridge_answers(patches)
    assert client.get_item(TableName="t", Key={"pk": {"S": "a"}})["Item"] == without == ITEM


def test_other_answers_are_as_they_were(table):
    client, patches = table
    without = [client.scan(TableName="t"), client.query(TableName="t", **BY_KEY), client.describe_table(TableName="t")]
    bridge_answers(patches)
    again = [client.scan(TableName="t"), client.query(TableName="t", **BY_KEY), client.describe_table(TableName="t")]
    assert [answer | NO_META for answer in again] == [answer | NO_META for answer in without]


NO_META = {"ResponseMetadata": None}
BY_KEY = {"KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": {":a": {"S": "a"}}}
