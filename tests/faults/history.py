"""What was seen of a tenant's runs after every write, and what was wrong at that very moment."""

from dataclasses import dataclass
from typing import Any

from outpost.adapters.dynamo_items import text
from outpost.domain.run import Run, RunStatus

from .counters import AUDIT, JOBS, runs_of, wrongs_of_counters
from .fargate import Fargate
from .platform import Platform


@dataclass(frozen=True)
class Step:
    """A status that a run was seen in."""

    status: str
    attempt: int


class History:
    """Observes the tables, beside the functions."""

    def __init__(self, platform: Platform, fargate: Fargate) -> None:
        self._platform, self._fargate = platform, fargate
        self.steps: dict[str, list[Step]] = {}
        self.violations: list[str] = []
        self.claims: dict[tuple[str, int], set[str]] = {}
        self._ended: dict[str, Run] = {}

    @property
    def is_terminal(self) -> bool:
        runs = self.runs()
        return bool(runs) and all(run.status.is_terminal for run in runs)

    def runs(self) -> list[Run]:
        return runs_of(self._platform)

    def situation(self, beside_id: str) -> list[tuple[object, ...]]:
        """What of each run may make a difference; of the one beside it is its status only."""
        found = self.runs()
        own = [run for run in found if run.run_id != beside_id]
        return [
            *(
                (r.status, r.attempt, r.task_arn, r.stop_code, r.progress and r.progress.phase, bool(r.report))
                for r in own
            ),
            *((run.status,) for run in found if run.run_id == beside_id),
        ]

    def locks(self) -> list[dict[str, Any]]:
        return [item for item in self._platform.items(JOBS) if text(item, "sk").startswith("IDEM#")]

    def event_types(self) -> dict[str, list[str]]:
        """The types of each run's events."""
        found: dict[str, list[str]] = {}
        for event in sorted(self._platform.items(AUDIT), key=lambda item: text(item, "event_id")):
            if "run_id" in event:
                found.setdefault(text(event, "run_id"), []).append(text(event, "type"))
        return found

    def observe(self) -> None:
        """Called after each write."""
        runs = self.runs()
        for run in runs:
            self._observe_run(run, runs)
        self.violations.extend(wrongs_of_counters(self._platform))

    def note_claim(self, claim_id: str, task_arn: str) -> None:
        """A runner was told that the run is its own."""
        task = self._fargate.tasks[task_arn]
        attempt = (task.environment["RUN_ID"], int(task.environment["ATTEMPT"]))
        claims = self.claims.setdefault(attempt, set())
        claims.add(claim_id)
        if len(claims) > 1:
            self._accuse("I4", f"attempt {attempt[1]} was claimed by {len(claims)} runners")
        holders = [t for t in self._fargate.tasks.values() if t.is_alive and t.holds_claim and t is not task]
        others = [t for t in holders if t.environment["RUN_ID"] == task.environment["RUN_ID"]]
        if others:
            self._accuse("I4", "two claimed attempts are alive at the same time")

    def _observe_run(self, run: Run, runs: list[Run]) -> None:
        step, seen = Step(str(run.status), run.attempt), self.steps.setdefault(run.run_id, [])
        if not seen or seen[-1] != step:
            self._observe_slot(run, seen, runs)
            seen.append(step)
        ended = self._ended.get(run.run_id)
        if ended is not None and ended != run:
            self._accuse("I1", f"{ended.status} was changed, to {run.status}")
        if ended is None and run.status.is_terminal:
            self._ended[run.run_id] = run
            alive = [t for t in self._fargate.tasks.values() if t.is_alive and t.environment["RUN_ID"] == run.run_id]
            if alive:
                self._accuse("I2", f"{run.status} while {len(alive)} of its tasks live")

    def _observe_slot(self, run: Run, seen: list[Step], runs: list[Run]) -> None:
        """Who is passed over by a run that has just got its slot."""
        if run.status is not RunStatus.PENDING or (seen and seen[-1].status != RunStatus.QUEUED):
            return
        waiting = [other for other in runs if other.is_queued and other.tenant_id == run.tenant_id]
        passed = [other for other in waiting if _rank(other) < _rank(run)]
        if passed:
            self._accuse("order", f"{run.priority} got a slot while {len(passed)} of higher rank waited")

    def _accuse(self, invariant: str, what: str) -> None:
        self.violations.append(f"{invariant}: {what}")


def expected_events(steps: list[Step]) -> list[str]:
    """The type of the event that tells of each step of a run."""
    before = [None, *(step.status for step in steps[:-1])]
    return [_event_of(step, was) for step, was in zip(steps, before, strict=True)]


def _event_of(step: Step, was: str | None) -> str:
    if was is None:
        return "run.accepted"
    if step.status == RunStatus.PENDING:
        return "run.released" if was == RunStatus.QUEUED else "run.relaunched"
    return f"run.{step.status.lower()}"


def _rank(run: Run) -> tuple[int, str]:
    return run.priority.rank, run.run_id
