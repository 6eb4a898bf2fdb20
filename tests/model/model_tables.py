"""The tables of a state of the model: the fakes that the contract tests hold to DynamoDB, filled for one call."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NamedTuple

from builders import a_key, a_plan, a_tenant
from fake_runs import InMemoryRuns
from model_world import EPOCH, NO_RUN, TENANT, Bounds, Ledger, Records

from outpost.domain.deployment import Deployment
from outpost.domain.errors import OutpostError, Unavailable
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.run import Run
from outpost.domain.run_error import RunErrorCode
from outpost.domain.tenant import Tenant, TenantStatus
from outpost.ports import IdempotencyLock, NotAdmitted, RunChangedMeanwhile, SlotRefusal, SlotRefused, WorkForbidden

BODY = "0" * 64
RUN_IDS = tuple(f"01Q3ENHRG0ABCDEFGHJKMNPQR{last}" for last in "STVW")
_KEY = a_key()
_LATER = EPOCH + timedelta(hours=24)
SWITCHES = ("tenant", "stopping", "deployment", "suspended")


class Raised(NamedTuple):
    """What a call was refused with; `counters` is what was found."""

    name: str
    details: tuple[object, ...] = ()
    counters: Ledger | None = None


@dataclass(frozen=True)
class Tables:
    """The records of a search and its limits, by which a ledger becomes tables and tables a ledger."""

    records: Records
    bounds: Bounds
    _tenants: dict[Ledger, Tenant] = field(default_factory=dict)

    def tenant(self, ledger: Ledger) -> Tenant:
        """The tenant with the ledger's counters."""
        counters = counters_of(ledger)
        if counters not in self._tenants:
            self._tenants[counters] = self._make_tenant(counters)
        return self._tenants[counters]

    def _make_tenant(self, ledger: Ledger) -> Tenant:
        return a_tenant(
            plan=a_plan(concurrent_runs=self.bounds.slots, queued_runs=9),
            status=TenantStatus.SUSPENDED if ledger.switch == "suspended" else TenantStatus.ACTIVE,
            kill_switch=_switch(ledger.switch) if ledger.switch in ("tenant", "stopping") else None,
            active_runs=ledger.active,
            queued_runs=ledger.queued,
        )

    def deployment(self, ledger: Ledger) -> Deployment:
        """What the tenants share, with the ledger's counter."""
        switch = _switch(ledger.switch) if ledger.switch == "deployment" else None
        return Deployment(self.bounds.deployment_slots, ledger.deployment_active, kill_switch=switch)

    def fill(self, ledger: Ledger) -> InMemoryRuns:
        """Tables that hold what the ledger says."""
        known = {RUN_IDS[place]: self.records[number] for place, number in enumerate(ledger.runs) if number != NO_RUN}
        return InMemoryRuns(
            tenants={TENANT: self.tenant(ledger)},
            keys={_KEY.key_hash: _KEY},
            records={(TENANT, run_id): run for run_id, run in known.items()},
            locks={
                (TENANT, f"key {run_id}"): IdempotencyLock(f"key {run_id}", BODY, run_id, _LATER) for run_id in known
            },
            deployment=self.deployment(ledger),
        )

    def read(self, tables: InMemoryRuns, switch: str) -> Ledger:
        """The ledger of the tables."""
        runs = (tables.get(TENANT, run_id) for run_id in RUN_IDS[: len(self.bounds.runs)])
        return Ledger(
            # How many events a run has had tells nothing of what may happen to it.
            tuple(NO_RUN if run is None else self.records.number(replace(run, events=0)) for run in runs),
            tables.tenants[TENANT].active_runs,
            tables.tenants[TENANT].queued_runs,
            tables.deployment.active_runs,
            switch,
        )

    def waiting(self, ledger: Ledger) -> tuple[str, ...]:
        """The ids of the runs that wait for a slot."""
        numbered = enumerate(ledger.runs)
        return tuple(RUN_IDS[place] for place, number in numbered if number != NO_RUN and self.run(number).is_queued)

    def run(self, number: int) -> Run:
        """The record of a number."""
        return self.records[number]

    def error(self, raised: Raised) -> Exception:
        """The refusal, as the adapter would raise it."""
        return _ERRORS[raised.name](self, raised)


def counters_of(ledger: Ledger) -> Ledger:
    """What of a ledger is the tenant's and the deployment's."""
    return ledger._replace(runs=())


def raised_of(error: OutpostError, ledger: Ledger) -> Raised:
    """The refusal by its value, so that equal refusals are equal states."""
    match error:
        case NotAdmitted():
            found = (error.lock_is_taken, error.tenant is not None, error.deployment is not None)
            return Raised("not-admitted", found, counters_of(ledger))
        case SlotRefused():
            return Raised("slot", (error.reason,))
        case WorkForbidden():
            return Raised("work", (error.code,))
        case RunChangedMeanwhile():
            return Raised("meanwhile")
        case _:
            raise error


def _switch(name: str) -> KillSwitch:
    return KillSwitch("a reason", EPOCH, "operator", stop_running=name == "stopping")


def _not_admitted(tables: Tables, raised: Raised) -> NotAdmitted:
    assert raised.counters is not None
    lock_is_taken, is_of_tenant, is_of_deployment = raised.details
    return NotAdmitted(
        lock_is_taken=bool(lock_is_taken),
        tenant=tables.tenant(raised.counters) if is_of_tenant else None,
        deployment=tables.deployment(raised.counters) if is_of_deployment else None,
    )


_ERRORS: dict[str, Callable[[Tables, Raised], Exception]] = {
    "not-admitted": _not_admitted,
    "slot": lambda _, raised: SlotRefused(SlotRefusal(str(raised.details[0]))),
    "work": lambda _, raised: WorkForbidden(RunErrorCode(str(raised.details[0]))),
    "meanwhile": lambda *_: RunChangedMeanwhile(),
    "unavailable": lambda *_: Unavailable(),
}
