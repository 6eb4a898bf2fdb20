"""Lists of a tenant's things that are kept under a prefix of their sort keys."""

from typing import TYPE_CHECKING, Any

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_items import Item, tenant_partition, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def list_items(
    client: "DynamoDBClient",
    table: str,
    tenant_id: str,
    prefix: str,
    *,
    after: Item | None,
    limit: int,
    is_ascending: bool,
) -> list[Item]:
    """Up to `limit` of the tenant's items after the key (or the first), read consistently. Raises Unavailable.

    It is for small items: all of them fit into one answer of DynamoDB.
    """
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "pk = :tenant AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": to_item({":tenant": tenant_partition(tenant_id), ":prefix": prefix}),
        "ScanIndexForward": is_ascending,
        "ConsistentRead": True,
        "Limit": limit,
    }
    if after is not None:
        request["ExclusiveStartKey"] = after
    with unavailable_if_it_fails():
        return list(client.query(**request)["Items"])
