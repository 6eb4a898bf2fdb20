"""The run's results: collects what the agent left, uploads it, and reports the end."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from outpost_runner.artifacts import Omission, collect_artifacts
from outpost_runner.broker import BrokerError, BrokerRefused
from outpost_runner.exit_codes import ExitCode
from outpost_runner.heartbeats import Phase
from outpost_runner.outcome import Outcome, cancel, lose_results
from outpost_runner.patch import PatchNotMade, Statistics, make_patch, read_head
from outpost_runner.process import Watch
from outpost_runner.report import Changes, Report
from outpost_runner.run_models import usage_to_json
from outpost_runner.session import Session
from outpost_runner.uploads import Upload, UploadKind, describe_file, upload_files
from outpost_runner.work import Work
from outpost_runner.workspace import Base

PATCH_NAME = "changes.patch"
LOG_NAME = "output.log"
READ_HEAD_SECONDS = 5.0


@dataclass
class Results:
    outcome: Outcome
    statistics: Statistics | None = None
    head: str | None = None
    delivered: list[Upload] = field(default_factory=list)
    omitted: list[Omission] = field(default_factory=list)

    def lose(self, reason: str) -> None:
        self.outcome = lose_results(self.outcome, reason)


def deliver_results(session: Session, work: Work) -> ExitCode:
    """Patch and log first and by themselves: whatever an artifact does, they are delivered."""
    results = Results(work.outcome)
    if work.base is not None:
        session.heartbeats.enter(Phase.COLLECTING)
        essential = [*_collect_patch(session, work, work.base, results), *_collect_log(session)]
        session.heartbeats.enter(Phase.UPLOADING)
        _upload_essential(session, results, essential)
        _upload_artifacts(session, results)
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
    )
    return _complete(session, report)


def _collect_patch(session: Session, work: Work, base: Base, results: Results) -> list[Upload]:
    since = time.monotonic()
    head_watch = Watch(lambda: min(since + READ_HEAD_SECONDS, session.clock.collect_by(since)), lambda: False)
    results.head = read_head(session.agent_git(work.user, head_watch), base)
    try:
        patch = make_patch(
            base,
            session.folders,
            limit_bytes=session.claim.limits.patch_bytes,
            deadline=lambda: session.clock.collect_by(since),
            say=session.log.say,
        )
    except PatchNotMade as error:
        reason = session.redactor.redact(str(error))
        results.lose(reason)
        results.omitted.append(Omission(PATCH_NAME, reason))
        return []
    results.statistics = patch.statistics
    if patch.omitted is not None:
        results.omitted.append(Omission(PATCH_NAME, patch.omitted))
    if patch.left_out is not None:
        reason = session.redactor.redact(patch.left_out.reason)
        results.omitted.append(Omission(PATCH_NAME, reason))
        if patch.left_out.is_lost:
            results.lose(reason)
    return [] if patch.path is None else [describe_file(PATCH_NAME, UploadKind.PATCH, patch.path)]


def _collect_log(session: Session) -> list[Upload]:
    path = session.folders.output_copy
    has_output = path.exists() and path.stat().st_size
    return [describe_file(LOG_NAME, UploadKind.LOG, path)] if has_output else []


def _upload_essential(session: Session, results: Results, files: Sequence[Upload]) -> None:
    delivery = upload_files(session.broker, files, session.upload_patience(), session.log.say)
    _take_delivery(results, files, delivery.delivered)


def _upload_artifacts(session: Session, results: Results) -> None:
    """One that the broker refuses is left out as one with a bad name is; one that is not stored is a loss."""
    since = time.monotonic()
    limits = session.claim.limits
    found = collect_artifacts(
        session.folders.artifacts, limits, lambda: time.monotonic() < session.clock.collect_by(since)
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
