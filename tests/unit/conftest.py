"""A world in memory: one tenant, one key, and every port."""

from dataclasses import dataclass, field

import pytest
from builders import SECRET, a_key, a_tenant
from fakes import (
    CountedIdentifiers,
    FixedSigningKey,
    InMemoryApiKeys,
    InMemoryFiles,
    InMemoryRuns,
    InMemorySlots,
    RecordingExecutions,
    RecordingTasks,
    SteppedClock,
)

from outpost.domain.api_key import hash_secret


@dataclass
class World:
    """The ports of a test."""

    runs: InMemoryRuns
    api_keys: InMemoryApiKeys
    clock: SteppedClock = field(default_factory=SteppedClock)
    identifiers: CountedIdentifiers = field(default_factory=CountedIdentifiers)
    executions: RecordingExecutions = field(default_factory=RecordingExecutions)
    tasks: RecordingTasks = field(default_factory=RecordingTasks)
    files: InMemoryFiles = field(default_factory=InMemoryFiles)
    signing_key: FixedSigningKey = field(default_factory=FixedSigningKey)

    @property
    def slots(self) -> InMemorySlots:
        """The counters of the runs."""
        return InMemorySlots(self.runs)

    def ports(self, *names: str) -> dict[str, object]:
        """The named ports, as keyword arguments."""
        return {name: getattr(self, name) for name in names}

    def add(self, *runs) -> None:
        """Put runs there as they are, with the slots that they hold."""
        for run in runs:
            self.runs.records[run.tenant_id, run.run_id] = run
            self.runs._count(run.tenant_id, int(run.holds_slot))

    def run(self, run=None):
        """The run as it is now; without an argument the only one."""
        records = self.runs.records
        return next(iter(records.values())) if run is None else records[run.tenant_id, run.run_id]

    def event_types(self) -> list[str]:
        """What happened, in order."""
        return [str(event.type) for event in self.runs.events]


@pytest.fixture
def world() -> World:
    keys = {hash_secret(SECRET): a_key()}
    return World(InMemoryRuns(tenants={"acme": a_tenant()}, keys=keys), InMemoryApiKeys(keys))
