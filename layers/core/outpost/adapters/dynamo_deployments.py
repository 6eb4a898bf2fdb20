"""What all tenants share, in one item of the tenants' table."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_counters import blocked_since_of, failures_of
from outpost.adapters.dynamo_items import decode, deployment_key, encode, text, to_item
from outpost.adapters.dynamo_transaction import write_transaction
from outpost.adapters.dynamo_writes import put_event
from outpost.domain.agents import AGENTS
from outpost.domain.deployment import Breaker, Deployment
from outpost.domain.event import Event
from outpost.domain.kill_switch import KillSwitch
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDeployments:
    """The item DEPLOYMENT: made by whatever counts or switches first."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def get(self) -> Deployment:
        with unavailable_if_it_fails():
            answer = self._client.get_item(
                TableName=self._settings.tenants_table, Key=deployment_key(), ConsistentRead=True
            )
        return decode_deployment(answer.get("Item", {}), self._settings.deployment_runs)

    def set_kill_switch(self, switch: KillSwitch | None, event: Event) -> None:
        update: dict[str, Any] = {"TableName": self._settings.tenants_table, "Key": deployment_key()}
        if switch is None:
            update["UpdateExpression"] = "REMOVE kill_switch"
        else:
            update["UpdateExpression"] = "SET kill_switch = :switch"
            update["ExpressionAttributeValues"] = to_item({":switch": encode(switch)})
        write_transaction(self._client, [{"Update": update}, put_event(self._settings, event)])


def decode_deployment(item: Mapping[str, Any], most_runs: int) -> Deployment:
    """The item, with a breaker for each agent that has failed."""
    breakers = {
        agent: Breaker(int(item[failures_of(agent)]["N"]), _time(item, blocked_since_of(agent)))
        for agent in AGENTS
        if failures_of(agent) in item
    }
    known = {name: item[name] for name in ("active_runs", "slot_changes", "kill_switch") if name in item}
    return replace(decode(Deployment, known), most_runs=most_runs, breakers=breakers)


def _time(item: Mapping[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(text(item, name)) if name in item else None
