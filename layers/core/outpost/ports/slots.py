"""What tenants share and wait for: the deployment, the queue, and the counters of slots."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from outpost.domain.deployment import Deployment
from outpost.domain.event import Event
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.tenant import Tenant


class Deployments(Protocol):
    """What all tenants share."""

    def get(self) -> Deployment:
        """The counters and switches as they are now."""
        ...

    def set_kill_switch(self, switch: KillSwitch | None, event: Event) -> None:
        """Put the switch on, or lift it, with its event."""
        ...


class Queue(Protocol):
    """The runs that wait for a slot, each tenant's in its own order: by priority, then by age."""

    def head(self, tenant_id: str, without_agents: Collection[str] = ()) -> str | None:
        """The id of the run that is next (a consistent read), leaving out those of some agents."""
        ...

    def order(self, tenant_id: str) -> tuple[str, ...]:
        """The ids of the waiting runs, the next one first."""
        ...

    def waiting_tenants(self, limit: int) -> tuple[Tenant, ...]:
        """Tenants with runs waiting and room for one, those first that were served longest ago; may lag behind."""
        ...

    def settle(self, tenant_id: str) -> None:
        """Take a tenant whose queue is empty out of those that wait."""
        ...


class Slots(Protocol):
    """The counters of slots in use and of runs that wait."""

    def holders(self) -> tuple[str, ...]:
        """Tenants whose counter is not zero, a bounded number of them."""
        ...

    def correct(self, tenant_id: str, now: datetime) -> int:
        """Set the counters to the numbers of runs that hold a slot and that wait; by how much they were wrong.

        Nothing is written if slots were taken or freed while they were counted.
        """
        ...

    def correct_deployment(self) -> int:
        """Set the deployment's counter to the sum of its tenants'; by how much it was wrong."""
        ...
