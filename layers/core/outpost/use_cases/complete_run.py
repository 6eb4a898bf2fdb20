"""Records a runner's final report; the run ends only when its compute has."""

from collections.abc import Sequence

from outpost.domain.event import EventType
from outpost.domain.report import Artifact, Report
from outpost.domain.run import Run
from outpost.ports import Clock, Identifiers, Runs
from outpost.use_cases.change_run import Change, change_run
from outpost.use_cases.claim_run import RunnerIdentity
from outpost.use_cases.note_budget import note_budget


def complete_run(
    runner: RunnerIdentity,
    report: Report,
    artifacts: Sequence[Artifact],
    *,
    runs: Runs,
    clock: Clock,
    identifiers: Identifiers,
) -> Run:
    """The run with its report and its list of files; again changes nothing. Raises ClaimRefused."""

    def decide(run: Run) -> Change:
        reported = run.reported(report, claim_id=runner.claim_id)
        return Change(reported, EventType.RUN_REPORTED, {"outcome": report.outcome}, tuple(artifacts))

    run = change_run(runner.tenant_id, runner.run_id, decide, runs=runs, clock=clock, identifiers=identifiers)
    return note_budget(run, runs=runs, clock=clock, identifiers=identifiers)
