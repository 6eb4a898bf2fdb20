"""What was seen of a tenant's runs after every write, and what was wrong at that very moment."""

from dataclasses import dataclass
from typing import Any

from outpost.adapters.dynamo_items import decode, text
from outpost.domain.run import Run
from outpost.domain.tenant import Tenant

from .fargate import Fargate
from .platform import Platform

JOBS, TENANTS, AUDIT = "outpost-jobs-dev", "outpost-tenants-dev", "outpost-audit-dev"


@dataclass(frozen=True)
class Step:
    """A status that a run was seen in."""

    run_id: str
    status: str
    attempt: int


class History:
    """Observes the tables, beside the functions."""

    def __init__(self, platform: Platform, fargate: Fargate, tenant_id: str) -> None:
        self._platform, self._fargate, self._tenant_id = platform, fargate, tenant_id
        self.steps: list[Step] = []
        self.violations: list[str] = []
        self.claims: dict[tuple[str, int], set[str]] = {}
        self._ended: dict[str, Run] = {}

    @property
    def is_terminal(self) -> bool:
        runs = self.runs()
        return bool(runs) and all(run.status.is_terminal for run in runs)

    def runs(self) -> list[Run]:
        items = self._platform.items(JOBS)
        return [decode(Run, item) for item in items if text(item, "sk").startswith("RUN#")]

    def locks(self) -> list[dict[str, Any]]:
        return [item for item in self._platform.items(JOBS) if text(item, "sk").startswith("IDEM#")]

    def tenant(self) -> Tenant:
        (item,) = self._platform.items(TENANTS)
        return decode(Tenant, item)

    def event_types(self) -> list[str]:
        events = sorted(self._platform.items(AUDIT), key=lambda item: text(item, "event_id"))
        return [text(event, "type") for event in events if "run_id" in event]

    def observe(self) -> None:
        """Called after each write."""
        runs = self.runs()
        for run in runs:
            self._observe_run(run)
        active = sum(not run.status.is_terminal for run in runs)
        if self.tenant().active_runs != active:
            self._accuse("I3", f"{self.tenant().active_runs} slots in use for {active} runs")

    def note_claim(self, claim_id: str, task_arn: str) -> None:
        """A runner was told that the run is its own."""
        task = self._fargate.tasks[task_arn]
        attempt = (task.environment["RUN_ID"], int(task.environment["ATTEMPT"]))
        claims = self.claims.setdefault(attempt, set())
        claims.add(claim_id)
        if len(claims) > 1:
            self._accuse("I4", f"attempt {attempt[1]} was claimed by {len(claims)} runners")
        others = [t for t in self._fargate.tasks.values() if t.is_alive and t.holds_claim and t is not task]
        if others:
            self._accuse("I4", "two claimed attempts are alive at the same time")

    def _observe_run(self, run: Run) -> None:
        step = Step(run.run_id, str(run.status), run.attempt)
        seen = [known for known in self.steps if known.run_id == run.run_id]
        if not seen or seen[-1] != step:
            self.steps.append(step)
        ended = self._ended.get(run.run_id)
        if ended is not None and ended != run:
            self._accuse("I1", f"{ended.status} was changed, to {run.status}")
        if ended is None and run.status.is_terminal:
            self._ended[run.run_id] = run
            alive = [t for t in self._fargate.tasks.values() if t.is_alive and t.environment["RUN_ID"] == run.run_id]
            if alive:
                self._accuse("I2", f"{run.status} while {len(alive)} of its tasks live")

    def _accuse(self, invariant: str, what: str) -> None:
        self.violations.append(f"{invariant}: {what}")
