"""The ports on the tables and in memory, side by side, and what the tests of both put there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from builders import NOON, a_key, a_plan, a_run, a_tenant, an_admission, an_event, later, terms_of
from deployment import Deployment as EmbeddedDeployment
from fake_runs import (
    InMemoryAccounts,
    InMemoryDeployments,
    InMemoryEvents,
    InMemoryKeyring,
    InMemoryQueue,
    InMemoryRuns,
    InMemorySlots,
)
from fake_secrets import InMemoryTenantSecrets, InMemoryVault
from fake_workspaces import InMemoryBatches, InMemoryPromotions, InMemoryWorkspaces
from fakes import InMemoryApiKeys, SteppedClock

from outpost.adapters.dynamo_accounts import DynamoAccounts
from outpost.adapters.dynamo_api_keys import DynamoApiKeys
from outpost.adapters.dynamo_batches import DynamoBatches
from outpost.adapters.dynamo_deployments import DynamoDeployments
from outpost.adapters.dynamo_events import DynamoEvents
from outpost.adapters.dynamo_items import tenant_key, to_item
from outpost.adapters.dynamo_keyring import DynamoKeyring
from outpost.adapters.dynamo_promotions import DynamoPromotions
from outpost.adapters.dynamo_queue import DynamoQueue
from outpost.adapters.dynamo_runs import DynamoRuns
from outpost.adapters.dynamo_secrets import DynamoTenantSecrets
from outpost.adapters.dynamo_slots import DynamoSlots
from outpost.adapters.dynamo_workspaces import DynamoWorkspaces
from outpost.adapters.secrets_vault import SecretsManagerVault
from outpost.domain.admission import Allowance, Form, Usage
from outpost.domain.deployment import Deployment
from outpost.domain.event import Event
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.plan import Plan, month_of
from outpost.domain.run import Run, RunStatus
from outpost.domain.run_error import RunError, RunErrorCode
from outpost.domain.tenant import Tenant
from outpost.ports import (
    Accounts,
    Admission,
    ApiKeys,
    Batches,
    Deployments,
    Events,
    Keyring,
    Promotions,
    Queue,
    Runs,
    Slots,
    TenantSecrets,
    Vault,
    Workspaces,
)

MONTH = Allowance(month_of(NOON))
SWITCH = KillSwitch("an incident", NOON, "operator")
START_FAILED = RunError.of(RunErrorCode.AGENT_START_FAILED, "no image")


def numbered(number: int, **changes: Any) -> Run:
    """A run whose id sorts by its number."""
    return a_run(run_id=f"01Q3ENHRG0{number:016d}", **changes)


def waiting(number: int, **changes: Any) -> Run:
    """A run that waits for a slot."""
    return numbered(number, status=RunStatus.QUEUED, **changes)


@dataclass
class Ports:
    """Every port on the same records, with the tenant `acme` and its key."""

    runs: Runs
    events: Events
    accounts: Accounts
    keyring: Keyring
    api_keys: ApiKeys
    queue: Queue
    deployments: Deployments
    slots: Slots
    workspaces: Workspaces
    promotions: Promotions
    batches: Batches
    secrets: TenantSecrets
    vault: Vault
    set_counters: Callable[..., None]
    event_numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def tenant(self) -> Tenant:
        """The tenant `acme` as it is now."""
        tenant = self.accounts.get("acme")
        assert tenant is not None
        return tenant

    @property
    def used(self) -> Usage:
        """What the tenant has used in the month."""
        return self.accounts.usage("acme", MONTH)

    @property
    def counters(self) -> tuple[int, int, int]:
        """The tenant's slots in use, its places in the queue, and the deployment's slots in use."""
        return self.tenant.active_runs, self.tenant.queued_runs, self.deployments.get().active_runs

    def event(self, **changes: Any) -> Event:
        """An event of its own id."""
        return an_event(event_id=f"01Q3ENHRG0{next(self.event_numbers):016d}", **changes)

    def create(self, run: Run, **admission: Any) -> Run:
        """A new run, as it was recorded; a waiting one goes behind its own tenant's, if nothing else is said."""
        form = Form.BEHIND_OWN if run.is_queued else Form.LAUNCH
        self.runs.create(run, self.event(tenant_id=run.tenant_id), an_admission(**({"form": form} | admission)))
        return run

    def save(self, before: Run, after: Run) -> Run:
        """A change with its event."""
        return self.runs.save(before, after, self.event(tenant_id=after.tenant_id))

    def change_tenant(self, **changes: Any) -> Tenant:
        """The tenant with the changes."""
        before = self.tenant
        assert self.accounts.change(before, replace(before, **changes), self.event())
        return self.tenant

    def add_tenant(self, tenant_id: str, *, plan: Plan | None = None) -> Admission:
        """Another tenant, and the admission of its runs."""
        tenant = a_tenant(tenant_id=tenant_id, plan=plan)
        key = a_key(tenant_id=tenant_id, key_hash=f"hash of {tenant_id}")
        assert self.accounts.create_tenant(tenant, key, [])
        return an_admission(key_hash=key.key_hash, plan_revision=terms_of(tenant).plan_revision)

    def fail_launches(self, number: int) -> None:
        """So many runs in a row that could not be launched, each a second after the other."""
        for failed in range(number):
            run = self.create(numbered(900 + failed, created_at=later(seconds=failed)))
            self.save(run, run.ended(RunStatus.FAILED, START_FAILED, later(seconds=failed)))


def ports_on_tables(embedded: EmbeddedDeployment, plan: Plan | None, **limits: int) -> Ports:
    """The ports on empty tables."""
    client, settings = embedded.dynamodb, replace(embedded.settings, **limits)

    def set_counters(tenant_id: str = "acme", **counters: int) -> None:
        client.update_item(
            TableName=settings.tenants_table,
            Key=tenant_key(tenant_id),
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in counters),
            ExpressionAttributeValues=to_item({f":{name}": value for name, value in counters.items()}),
        )

    accounts = DynamoAccounts(client, settings)
    assert accounts.create_tenant(a_tenant(plan=plan or a_plan()), a_key(), [])
    return Ports(
        runs=DynamoRuns(client, settings),
        events=DynamoEvents(client, settings),
        accounts=accounts,
        keyring=DynamoKeyring(client, settings),
        api_keys=DynamoApiKeys(client, settings),
        queue=DynamoQueue(client, settings),
        deployments=DynamoDeployments(client, settings),
        slots=DynamoSlots(client, settings),
        workspaces=DynamoWorkspaces(client, settings),
        promotions=DynamoPromotions(client, settings),
        batches=DynamoBatches(client, settings),
        secrets=DynamoTenantSecrets(client, settings),
        vault=SecretsManagerVault(embedded.secrets, settings, SteppedClock()),
        set_counters=set_counters,
    )


def ports_in_memory(plan: Plan | None, *, deployment_runs: int = 100, requests_per_minute: int = 600) -> Ports:
    """The same ports in dictionaries."""
    runs = InMemoryRuns(
        tenants={"acme": a_tenant(plan=plan or a_plan())},
        keys={a_key().key_hash: a_key()},
        deployment=Deployment(most_runs=deployment_runs),
    )

    def set_counters(tenant_id: str = "acme", **counters: int) -> None:
        runs.tenants[tenant_id] = replace(runs.tenants[tenant_id], **counters)

    return Ports(
        runs=runs,
        events=InMemoryEvents(runs),
        accounts=InMemoryAccounts(runs),
        keyring=InMemoryKeyring(runs),
        api_keys=InMemoryApiKeys(runs, limit=requests_per_minute),
        queue=InMemoryQueue(runs),
        deployments=InMemoryDeployments(runs),
        slots=InMemorySlots(runs),
        workspaces=InMemoryWorkspaces(runs),
        promotions=InMemoryPromotions(runs),
        batches=InMemoryBatches(),
        secrets=InMemoryTenantSecrets(),
        vault=InMemoryVault(),
        set_counters=set_counters,
    )
