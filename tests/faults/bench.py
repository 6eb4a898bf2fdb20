"""What the checks of conditions stand on: adapters on tables with one tenant and its key."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from builders import a_key, a_plan, a_run, a_tenant, an_admission, an_event
from deployment import Deployment
from ulid import ULID

from outpost.adapters.dynamo_accounts import DynamoAccounts
from outpost.adapters.dynamo_api_keys import DynamoApiKeys
from outpost.adapters.dynamo_batches import DynamoBatches
from outpost.adapters.dynamo_deployments import DynamoDeployments
from outpost.adapters.dynamo_items import deployment_key, tenant_key, to_item
from outpost.adapters.dynamo_keyring import DynamoKeyring
from outpost.adapters.dynamo_promotions import DynamoPromotions
from outpost.adapters.dynamo_queue import DynamoQueue
from outpost.adapters.dynamo_runs import DynamoRuns
from outpost.adapters.dynamo_secrets import DynamoTenantSecrets
from outpost.adapters.dynamo_slots import DynamoSlots
from outpost.adapters.dynamo_workspaces import DynamoWorkspaces
from outpost.domain.admission import Form
from outpost.domain.errors import OutpostError
from outpost.domain.event import Event
from outpost.domain.run import Run, RunStatus
from outpost.domain.tenant import Tenant

from .conditions import Watch

SLOTS, PLACES, DEPLOYMENT_SLOTS = 2, 3, 100
QUEUED = a_run(status=RunStatus.QUEUED)


@dataclass
class Bench:
    """Adapters on empty tables with one tenant and its key."""

    deployment: Deployment
    watch: Watch

    def __post_init__(self) -> None:
        client, settings = self.deployment.dynamodb, self.deployment.settings
        self.runs = DynamoRuns(client, settings)
        self.accounts = DynamoAccounts(client, settings)
        self.keyring = DynamoKeyring(client, settings)
        self.api_keys = DynamoApiKeys(client, settings)
        self.deployments = DynamoDeployments(client, settings)
        self.queue = DynamoQueue(client, settings)
        self.slots = DynamoSlots(client, settings)
        self.secrets = DynamoTenantSecrets(client, settings)
        self.promotions = DynamoPromotions(client, settings)
        self.batches = DynamoBatches(client, settings)
        self.workspaces = DynamoWorkspaces(client, settings)
        self._numbers = count(1)
        tenant = a_tenant(plan=a_plan(concurrent_runs=SLOTS, queued_runs=PLACES))
        assert self.accounts.create_tenant(tenant, a_key(), [])

    def event(self) -> Event:
        """An event with an id of its own."""
        return an_event(event_id=f"EVENT{next(self._numbers)}")

    def create(self, run: Run, **admission: Any) -> type[OutpostError] | None:
        """None, or what it is refused with."""
        return refusal(lambda: self.runs.create(run, self.event(), an_admission(**admission)))

    def create_as(self, form: Form, **admission: Any) -> type[OutpostError] | None:
        """A run in a form, where nothing but what the check has changed stands against it; None, or its refusal."""
        if form is Form.BEHIND_OWN:
            self.set_tenant(active_runs=SLOTS)
        if form is Form.BEHIND_OTHERS:
            self.set_deployment(active_runs=DEPLOYMENT_SLOTS)
        return self.create(a_run() if form is Form.LAUNCH else QUEUED, form=form, **admission)

    def save(self, before: Run, after: Run) -> type[OutpostError] | None:
        """None, or what it is refused with."""
        return refusal(lambda: self.runs.save(before, after, self.event()))

    def stored_tenant(self) -> Tenant:
        """The tenant as it is now."""
        tenant = self.accounts.get("acme")
        assert tenant is not None
        return tenant

    def count_keys(self) -> int:
        """How many keys there are, whole or not."""
        return int(self.deployment.dynamodb.scan(TableName=self.deployment.settings.api_keys_table)["Count"])

    def set_tenant(self, **attributes: object) -> None:
        """Give the tenant attributes, beside the adapters."""
        self.set_item(self.deployment.settings.tenants_table, tenant_key("acme"), attributes)

    def set_deployment(self, **attributes: object) -> None:
        """Give the deployment attributes, beside the adapters."""
        self.set_item(self.deployment.settings.tenants_table, deployment_key(), attributes)

    def set_key(self, **attributes: object) -> None:
        """Give the key attributes, beside the adapters."""
        key = to_item({"key_hash": a_key().key_hash})
        self.set_item(self.deployment.settings.api_keys_table, key, attributes)

    def set_item(self, table: str, key: dict[str, Any], attributes: dict[str, object]) -> None:
        self.deployment.dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues=to_item({f":{name}": value for name, value in attributes.items()}),
        )

    def delete(self, table: str, key: dict[str, Any]) -> None:
        self.deployment.dynamodb.delete_item(TableName=table, Key=key)


Check = Callable[[Bench], None]


def refusal(act: Callable[[], object]) -> type[OutpostError] | None:
    """What the act is refused with."""
    try:
        act()
    except OutpostError as error:
        return type(error)
    return None


def other_run(number: int = 1, **changes: Any) -> Run:
    """Another run of the same tenant."""
    run_id = str(ULID.from_bytes(ULID.from_str(a_run().run_id).bytes[:15] + bytes([number])))
    return replace(a_run(run_id=run_id), **changes)
