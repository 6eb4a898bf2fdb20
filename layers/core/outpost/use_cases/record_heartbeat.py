"""Records that a runner is alive and what it is at."""

from outpost.domain.event import EventType
from outpost.domain.report import Phase
from outpost.domain.run import Run
from outpost.domain.usage import ModelUsage
from outpost.ports import Clock, Identifiers, Runs
from outpost.use_cases.change_run import Change, change_run
from outpost.use_cases.claim_run import RunnerIdentity
from outpost.use_cases.note_budget import note_budget


def record_heartbeat(
    runner: RunnerIdentity,
    *,
    phase: Phase,
    message: str | None,
    usage: ModelUsage | None,
    runs: Runs,
    clock: Clock,
    identifiers: Identifiers,
) -> Run:
    """The run with its sign of life; only a new phase is an event. Raises ClaimRefused once the runner is to stop."""

    def decide(run: Run) -> Change:
        beaten = run.beaten(
            attempt=runner.attempt,
            claim_id=runner.claim_id,
            phase=phase,
            message=message,
            at=clock.now(),
            usage=usage,
        )
        is_news = run.progress is None or run.progress.phase is not phase
        return Change(beaten, EventType.RUN_PROGRESS if is_news else None, {"phase": phase})

    run = change_run(runner.tenant_id, runner.run_id, decide, runs=runs, clock=clock, identifiers=identifiers)
    return note_budget(run, runs=runs, clock=clock, identifiers=identifiers)
