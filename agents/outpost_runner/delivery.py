"""The run's results: collects what the agent left, uploads it, and reports the end."""

import time
from collections.abc import Sequence

from outpost_runner.artifacts import ALL_ARTIFACTS, Omission, collect_artifacts
from outpost_runner.broker import BrokerError, BrokerRefused
from outpost_runner.check import run_check
from outpost_runner.collecting import PATCH_NAME, collect_log, collect_patch
from outpost_runner.exit_codes import ExitCode
from outpost_runner.heartbeats import Phase
from outpost_runner.outcome import cancel
from outpost_runner.report import Changes, Report
from outpost_runner.results import Results
from outpost_runner.run_models import usage_to_json
from outpost_runner.session import Session
from outpost_runner.uploads import Upload, upload_files
from outpost_runner.work import Work
from outpost_runner.workspace import Base
from outpost_runner.workspace_keeping import Keeping

SURVIVORS = "Some processes of the agent could not be ended: what it left may still change."


def deliver_results(session: Session, work: Work) -> ExitCode:
    results = Results(work.outcome)
    keeping = _begin_keeping(session, work)
    if work.has_survivors:
        _leave_out_all_but_the_log(session, results, keeping)
    elif work.base is not None:
        _collect_and_upload(session, work, work.base, results, keeping)
    outcome = results.outcome
    if session.clock.stop.is_requested():
        outcome = cancel(outcome.agent_exit_code)
    report = Report(
        outcome,
        _read_changes(work, results),
        results.delivered,
        results.omitted,
        None if work.models is None else usage_to_json(work.models.reading),
        work.context.sources,
        results.check,
        None if keeping is None else keeping.state(),
        session.notices.texts(),
    )
    return _complete(session, report)


def _begin_keeping(session: Session, work: Work) -> Keeping | None:
    workspace = session.claim.run.workspace
    if workspace is None:
        return None
    is_lost = work.base is None and workspace.snapshot is not None
    return Keeping(session, False if is_lost else work.restored, is_out_of_reach=work.is_out_of_reach)


def _collect_and_upload(session: Session, work: Work, base: Base, results: Results, keeping: Keeping | None) -> None:
    """The patch and the snapshot are made before the check, whose traces are none of the agent's work.

    Patch and log go first and by themselves: whatever a snapshot or an artifact does, they are delivered.
    """
    session.heartbeats.enter(Phase.COLLECTING)
    essential = collect_patch(session, work, base, results)
    if keeping is not None:
        keeping.pack()
    check = session.claim.run.check
    if check is not None and work.is_to_be_checked and not session.clock.stop.is_requested():
        results.check = run_check(session, work.user, check)
    session.heartbeats.enter(Phase.UPLOADING)
    _upload_essential(session, results, [*essential, *collect_log(session)])
    if keeping is not None:
        results.delivered += keeping.upload()
    if results.check is not None and results.check.has_survivors:
        results.lose(SURVIVORS)
        results.omitted.append(Omission(ALL_ARTIFACTS, SURVIVORS))
        return
    _upload_artifacts(session, results)


def _leave_out_all_but_the_log(session: Session, results: Results, keeping: Keeping | None) -> None:
    """What somebody still writes to may be half done, and may be a link to anywhere by the time that root reads it."""
    results.lose(SURVIVORS)
    results.omitted += [Omission(name, SURVIVORS) for name in (PATCH_NAME, ALL_ARTIFACTS)]
    if keeping is not None:
        keeping.give_up(SURVIVORS)
    session.heartbeats.enter(Phase.UPLOADING)
    _upload_essential(session, results, collect_log(session))


def _upload_essential(session: Session, results: Results, files: Sequence[Upload]) -> None:
    delivery = upload_files(session.broker, files, session.upload_patience(), session.log.say)
    _take_delivery(results, files, delivery.delivered)


def _upload_artifacts(session: Session, results: Results) -> None:
    """One that the broker refuses is left out as one with a bad name is; one that is not stored is a loss.

    Their names can be told: none that was found holds a secret.
    """
    since = time.monotonic()
    found = collect_artifacts(
        session.folders.artifacts,
        session.claim.limits,
        lambda: time.monotonic() < session.clock.collect_by(since),
        session.redactor,
    )
    results.omitted += found.omitted
    delivery = upload_files(session.broker, found.uploads, session.upload_patience(), session.log.say)
    results.omitted += [Omission(file.name, "The broker refused it.") for file in delivery.refused]
    _take_delivery(results, [file for file in found.uploads if file not in delivery.refused], delivery.delivered)


def _take_delivery(results: Results, files: Sequence[Upload], delivered: Sequence[Upload]) -> None:
    results.delivered += [file for file in files if file in delivered]
    lost = [file.name for file in files if file not in delivered]
    if lost:
        results.lose(f"Not everything could be uploaded: {', '.join(lost)[:200]}.")
        results.omitted[:0] = [Omission(name, "It could not be uploaded.") for name in lost]


def _read_changes(work: Work, results: Results) -> Changes | None:
    if work.base is None or results.statistics is None:
        return None
    return Changes(work.summary, results.statistics, work.base.commit, results.head)


def _complete(session: Session, report: Report) -> ExitCode:
    try:
        _tell(session, report)
    except BrokerRefused as refusal:
        session.log.say(f"The end was not taken: {refusal}")
        return ExitCode.STOPPED if refusal.is_gone() else ExitCode.NOT_DELIVERED
    except BrokerError as error:
        session.log.say(f"The end could not be reported: {error}")
        return ExitCode.NOT_DELIVERED
    outcome = report.outcome
    session.log.say(f"The run {outcome.name.value}." if outcome.failure is None else outcome.failure.message)
    return outcome.runner_exit_code


def _tell(session: Session, report: Report) -> None:
    """A report that the broker cannot read must not cost the run its end: then only what is needed is told."""
    try:
        session.broker.call("/runner/complete", report.to_json(), session.report_patience())
    except BrokerRefused as refusal:
        if not refusal.is_invalid():
            raise
        session.log.say(f"The report of the end is told in its smallest form: {refusal}")
        session.broker.call("/runner/complete", report.reduce().to_json(), session.report_patience())
