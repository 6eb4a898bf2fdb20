"""The ports to what the runs of a state share: tenant, deployment and queue, over the same journal."""

from collections.abc import Collection
from dataclasses import dataclass

from fake_runs import InMemoryQueue
from model_ports import Ports
from model_tables import counters_of

from outpost.domain.deployment import Deployment
from outpost.domain.tenant import Tenant


@dataclass
class Accounts:
    """Tenants, and Slots: the counters have to be right without being mended."""

    ports: Ports

    def get(self, tenant_id: str) -> Tenant | None:
        return self.ports.tables.tenant(self.ports.call("tenant", lambda: counters_of(self.ports.ledger)))

    def holders(self) -> tuple[str, ...]:
        return ()

    def correct_deployment(self) -> int:
        return 0


@dataclass
class Deployments:
    """What the tenants share."""

    ports: Ports

    def get(self) -> Deployment:
        return self.ports.tables.deployment(self.ports.call("deployment", lambda: counters_of(self.ports.ledger)))


@dataclass
class Queue:
    """Who waits."""

    ports: Ports

    def head(self, tenant_id: str, without_agents: Collection[str] = ()) -> str | None:
        def look() -> object:
            ledger = self.ports.ledger
            head = InMemoryQueue(self.ports.tables.fill(ledger)).head(tenant_id, without_agents)
            return "head", head, self.ports.tables.waiting(ledger)

        return str(found) if (found := self.ports.call("head", look)[1]) else None

    def waiting_tenants(self, limit: int) -> tuple[Tenant, ...]:
        def look() -> object:
            return InMemoryQueue(self.ports.tables.fill(self.ports.ledger)).waiting_tenants(limit)

        found: tuple[Tenant, ...] = self.ports.call("waiting", look)
        return found

    def settle(self, tenant_id: str) -> None:
        self.ports.call("settle", lambda: None)
