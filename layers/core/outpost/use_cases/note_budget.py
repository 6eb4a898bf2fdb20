"""Notes, once, that a run has nearly used its model budget."""

from outpost.domain.event import EventType
from outpost.domain.money import usd
from outpost.domain.run import Run
from outpost.ports import Clock, Identifiers, Runs
from outpost.use_cases.change_run import Change, change_run


def note_budget(run: Run, *, runs: Runs, clock: Clock, identifiers: Identifiers) -> Run:
    """The run, with an event of its own where four fifths of its budget are used; a run of which it was told stays."""
    if run.budget_noted(clock.now()) is run:
        return run

    def decide(run: Run) -> Change:
        used = run.charged_usage
        details = {
            "budget": str(run.budget),
            "modelCostUsd": f"{usd(used.cost_microusd):.6f}",
            "tokens": str(used.total_tokens),
        }
        return Change(run.budget_noted(clock.now()), EventType.RUN_BUDGET_NEARLY_USED, details)

    return change_run(run.tenant_id, run.run_id, decide, runs=runs, clock=clock, identifiers=identifiers)
