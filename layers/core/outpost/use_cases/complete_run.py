"""Records a runner's final report; the run ends only when its compute has."""

from collections.abc import Sequence

from outpost.domain.event import EventType
from outpost.domain.report import Artifact, Report
from outpost.domain.run import Run
from outpost.ports import Clock, Identifiers, Runs
from outpost.use_cases.change_run import Change, change_run
from outpost.use_cases.claim_run import RunnerIdentity
from outpost.use_cases.note_budget import note_budget

DETAIL_CHARACTERS = 1_000


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
        return Change(reported, EventType.RUN_REPORTED, _details(report), tuple(artifacts))

    run = change_run(runner.tenant_id, runner.run_id, decide, runs=runs, clock=clock, identifiers=identifiers)
    return note_budget(run, runs=runs, clock=clock, identifiers=identifiers)


def _details(report: Report) -> dict[str, str]:
    """What the report says, in short: also what was left out, which nobody would miss otherwise."""
    details = {"outcome": str(report.outcome)}
    if report.check is not None:
        details["check"] = "passed" if report.check.passed else "failed"
    if report.omitted:
        left_out = "; ".join(f"{omission.name}: {omission.reason}" for omission in report.omitted)
        details["leftOut"] = left_out[:DETAIL_CHARACTERS]
    if report.notices:
        details["notices"] = " ".join(report.notices)[:DETAIL_CHARACTERS]
    return details
