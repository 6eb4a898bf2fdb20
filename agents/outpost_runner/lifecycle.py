"""The one flow of a runner: claim, work, deliver, exit code."""

import time

from outpost_runner import __version__
from outpost_runner.broker import Broker
from outpost_runner.claim import Claim
from outpost_runner.claimed_work import claim_and_work
from outpost_runner.claiming import claim_run
from outpost_runner.delivery import deliver_results
from outpost_runner.exit_codes import ExitCode
from outpost_runner.folders import TaskFolders
from outpost_runner.heartbeats import Heartbeats
from outpost_runner.log_lines import LogLines
from outpost_runner.notices import Notices
from outpost_runner.redaction import Redactor
from outpost_runner.session import Session
from outpost_runner.settings import Settings
from outpost_runner.stop import RunClock, Stop
from outpost_runner.work import do_work


def run_to_end(settings: Settings, stop: Stop, log: LogLines, redactor: Redactor) -> ExitCode:
    """What is claimed is brought to its end."""
    log.say(f"Runner {__version__}: run {settings.run_id} of {settings.tenant_id}, attempt {settings.attempt}.")

    def work(claim: Claim, folders: TaskFolders) -> ExitCode:
        clock = RunClock(stop, time.monotonic(), claim.timeout_seconds, claim.stop_grace_seconds)
        broker = Broker(settings.api_url, claim.session_token)
        heartbeats = Heartbeats(broker, stop, log, claim.heartbeat_seconds)
        session = Session(settings, claim, clock, broker, heartbeats, folders, log, redactor, Notices(redactor))
        heartbeats.start()
        try:
            return deliver_results(session, do_work(session))
        finally:
            heartbeats.end()

    return claim_and_work(settings, stop, log, redactor, claim=claim_run, work=work)
