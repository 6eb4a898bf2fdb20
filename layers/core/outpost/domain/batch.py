"""A batch: one task, given to several agents at once, to be compared."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self


@dataclass(frozen=True)
class BatchEntry:
    """One of the agents that were asked; `code` and `message` are why its run was refused.

    Without either it has not been asked yet.
    """

    agent: str
    model_id: str
    run_id: str | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Batch:
    """A batch as it is stored; `task` is the beginning of its text."""

    tenant_id: str
    batch_id: str
    created_at: datetime
    task: str
    entries: tuple[BatchEntry, ...]
    promoted_run_id: str | None = None

    def with_entry(self, place: int, entry: BatchEntry) -> Self:
        """The batch in which that is what became of the agent at the place."""
        return replace(self, entries=(*self.entries[:place], entry, *self.entries[place + 1 :]))

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Its runs, in the order of their agents."""
        return tuple(entry.run_id for entry in self.entries if entry.run_id is not None)
