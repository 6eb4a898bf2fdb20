"""A batch: one task, given to several agents at once, to be compared."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# A batch's runs are accepted one after the other, by one request: all within this time of the first.
ACCEPTED_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True)
class BatchEntry:
    """One of the agents that were asked; `code` and `message` are why its run was refused."""

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
