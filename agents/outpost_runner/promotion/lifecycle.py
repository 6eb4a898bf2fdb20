"""The one flow of a promotion: claim, promote, tell the end, exit code."""

import time

from outpost_runner import __version__
from outpost_runner.broker import Broker, BrokerError, BrokerRefused
from outpost_runner.claimed_work import claim_and_work
from outpost_runner.exit_codes import ExitCode
from outpost_runner.folders import TaskFolders
from outpost_runner.git import GitFailed, GitInterrupted
from outpost_runner.log_lines import LogLines
from outpost_runner.process import ProgramNotStarted
from outpost_runner.promotion.claim import PromotionClaim, claim_promotion
from outpost_runner.promotion.clock import PromotionClock
from outpost_runner.promotion.errors import PromotionFailed, TimeUsedUp
from outpost_runner.promotion.report import Promotion, PromotionReport, report_failure
from outpost_runner.promotion.session import PromotionSession
from outpost_runner.promotion.work import promote
from outpost_runner.redaction import Redactor
from outpost_runner.settings import Settings
from outpost_runner.stop import Stop
from outpost_runner.workspace import CloneFailed, find_reason


def promote_to_end(settings: Settings, stop: Stop, log: LogLines, redactor: Redactor) -> ExitCode:
    """What is claimed is brought to its end and told; nothing of the task stays on disk."""
    log.say(f"Promotion {__version__}: run {settings.run_id} of {settings.tenant_id}, attempt {settings.attempt}.")

    def work(claim: PromotionClaim, folders: TaskFolders) -> ExitCode:
        clock = PromotionClock(stop, time.monotonic(), claim.deadline_seconds)
        session = PromotionSession(settings, claim, clock, folders, log, redactor)
        code = _tell(session, Broker(settings.api_url, claim.session_token), _work(session))
        return ExitCode.STOPPED if stop.is_requested() and code is not ExitCode.NOT_DELIVERED else code

    return claim_and_work(settings, stop, log, redactor, claim=claim_promotion, work=work)


def _work(session: PromotionSession) -> PromotionReport:
    promotion = Promotion(session.claim.branch)
    try:
        _promote_in_time(session, promotion)
    except PromotionFailed as failure:
        return report_failure(promotion, failure, session.redactor.redact)
    return PromotionReport(promotion)


def _promote_in_time(session: PromotionSession, promotion: Promotion) -> None:
    """Whatever a stop or the deadline cuts short fails for that reason, however it looks from inside."""
    try:
        promote(session, promotion)
    except GitInterrupted as interruption:
        raise _describe_end(session) from interruption
    except (PromotionFailed, CloneFailed, GitFailed, ProgramNotStarted, OSError) as error:
        if session.clock.is_over():
            raise _describe_end(session) from error
        if isinstance(error, PromotionFailed):
            raise
        raise PromotionFailed(f"The promotion failed: {find_reason(str(error))}") from error


def _describe_end(session: PromotionSession) -> TimeUsedUp:
    if session.clock.stop.is_requested():
        return TimeUsedUp("The promotion was stopped before its end.")
    return TimeUsedUp(f"The promotion did not end within its {session.claim.deadline_seconds} seconds.")


def _tell(session: PromotionSession, broker: Broker, report: PromotionReport) -> ExitCode:
    log, patience = session.log, session.clock.report_patience()
    try:
        try:
            broker.call("/promotion/complete", report.to_json(), patience)
        except BrokerRefused as refusal:
            if not refusal.is_invalid():
                raise
            log.say(f"The report of the end is told in its smallest form: {refusal}")
            broker.call("/promotion/complete", report.reduce().to_json(), patience)
    except BrokerError as error:
        log.say(f"The end could not be told: {error}")
        return ExitCode.NOT_DELIVERED
    log.say("Promoted." if report.code is None else f"{report.code}: {report.message}")
    return report.exit_code
