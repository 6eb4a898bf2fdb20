"""The run's results: collects what the agent left, uploads it, and reports the end."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from outpost_runner.artifacts import Omission, collect_artifacts
from outpost_runner.broker import BrokerError, BrokerRefused
from outpost_runner.exit_codes import ExitCode
from outpost_runner.heartbeats import Phase
from outpost_runner.json_fields import Json
from outpost_runner.outcome import Outcome, cancel, lose_results
from outpost_runner.patch import PatchNotMade, Statistics, make_patch, read_head
from outpost_runner.process import Watch
from outpost_runner.session import Session
from outpost_runner.uploads import Upload, UploadKind, describe_file, upload_files
from outpost_runner.work import Work
from outpost_runner.workspace import Base

PATCH_NAME = "changes.patch"
LOG_NAME = "output.log"
MAX_SUMMARY_CHARACTERS = 4000
MAX_OMISSIONS = 20
READ_HEAD_SECONDS = 5.0


@dataclass
class Results:
    outcome: Outcome
    statistics: Statistics | None = None
    head: str | None = None
    essential: list[Upload] = field(default_factory=list)
    artifacts: list[Upload] = field(default_factory=list)
    omitted: list[Omission] = field(default_factory=list)


def deliver_results(session: Session, work: Work) -> ExitCode:
    results = Results(work.outcome)
    if work.base is not None:
        session.heartbeats.enter(Phase.COLLECTING)
        _collect_patch(session, work, work.base, results)
        _collect_log(session, results)
        _collect_artifacts(session, results)
    session.heartbeats.enter(Phase.UPLOADING)
    delivered = _upload(session, results)
    outcome = results.outcome
    if session.clock.stop.is_requested():
        outcome = cancel(outcome.agent_exit_code)
    return _complete(session, outcome, _report(work, results, outcome, delivered))


def _collect_patch(session: Session, work: Work, base: Base, results: Results) -> None:
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
        results.outcome = lose_results(results.outcome, reason)
        results.omitted.append(Omission(PATCH_NAME, reason))
        return
    results.statistics = patch.statistics
    if patch.path is not None:
        results.essential.append(describe_file(PATCH_NAME, UploadKind.PATCH, patch.path))
    if patch.omitted is not None:
        results.omitted.append(Omission(PATCH_NAME, patch.omitted))


def _collect_log(session: Session, results: Results) -> None:
    path = session.folders.output_copy
    if path.exists() and path.stat().st_size:
        results.essential.append(describe_file(LOG_NAME, UploadKind.LOG, path))


def _collect_artifacts(session: Session, results: Results) -> None:
    found = collect_artifacts(session.folders.artifacts, session.claim.limits)
    results.artifacts += found.uploads
    results.omitted += found.omitted


def _upload(session: Session, results: Results) -> list[Upload]:
    """Patch and log first and by themselves: whatever an artifact does, they are delivered."""
    patience = session.delivery_patience()
    delivered: list[Upload] = []
    for files in (results.essential, results.artifacts):
        delivered += upload_files(session.broker, files, patience, session.log.say)
    lost = [file.name for file in (*results.essential, *results.artifacts) if file not in delivered]
    if lost:
        results.outcome = lose_results(results.outcome, f"Not everything could be uploaded: {', '.join(lost)[:200]}.")
        results.omitted += [Omission(name, "It could not be uploaded.") for name in lost]
    return delivered


def _report(work: Work, results: Results, outcome: Outcome, delivered: Sequence[Upload]) -> Json:
    failure = outcome.failure
    return {
        "outcome": outcome.name.value,
        "exitCode": outcome.agent_exit_code,
        "error": None if failure is None else {"code": failure.code, "message": failure.message},
        "result": _report_result(work, results),
        "uploads": [file.to_json() for file in delivered],
        "omitted": [{"name": item.name, "reason": item.reason} for item in results.omitted[:MAX_OMISSIONS]],
    }


def _report_result(work: Work, results: Results) -> Json:
    """None when the agent's work could not be read, or there was none."""
    if work.base is None or results.statistics is None:
        return None
    return {
        "summary": None if work.summary is None else work.summary[-MAX_SUMMARY_CHARACTERS:],
        "filesChanged": results.statistics.files_changed,
        "insertions": results.statistics.insertions,
        "deletions": results.statistics.deletions,
        "baseSha": work.base.commit,
        "headSha": results.head,
    }


def _complete(session: Session, outcome: Outcome, report: Json) -> ExitCode:
    try:
        session.broker.call("/runner/complete", report, session.delivery_patience())
    except BrokerRefused as refusal:
        session.log.say(f"The end was not taken: {refusal}")
        return ExitCode.STOPPED if refusal.is_gone() else ExitCode.NOT_DELIVERED
    except BrokerError as error:
        session.log.say(f"The end could not be reported: {error}")
        return ExitCode.NOT_DELIVERED
    session.log.say(f"The run {outcome.name.value}." if outcome.failure is None else outcome.failure.message)
    return outcome.runner_exit_code
