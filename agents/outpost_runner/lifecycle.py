"""The one flow of a runner: claim, work, deliver, exit code."""

import time

from outpost_runner import __version__
from outpost_runner.broker import Broker, BrokerRefused, BrokerUnreachable
from outpost_runner.claiming import claim_run
from outpost_runner.delivery import deliver_results
from outpost_runner.descendants import kill_descendants
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

KILL_WITHIN_SECONDS = 5.0


def run_to_end(settings: Settings, stop: Stop, log: LogLines, redactor: Redactor) -> ExitCode:
    """Nothing is claimed that could not be worked on; what is claimed is brought to its end."""
    log.say(f"Runner {__version__}: run {settings.run_id} of {settings.tenant_id}, attempt {settings.attempt}.")
    try:
        folders = TaskFolders.create(settings.task_root)
    except OSError as error:
        log.say(f"The task's folders could not be made: {error}")
        return ExitCode.NOT_PREPARED
    try:
        return _claim_and_work(settings, folders, stop, log, redactor)
    finally:
        kill_descendants(KILL_WITHIN_SECONDS)
        folders.remove()


def _claim_and_work(
    settings: Settings, folders: TaskFolders, stop: Stop, log: LogLines, redactor: Redactor
) -> ExitCode:
    if stop.is_requested():
        return ExitCode.STOPPED
    try:
        claim = claim_run(settings, stop)
    except BrokerRefused as refusal:
        log.say(f"The run is not to be run: {refusal}")
        return ExitCode.CLAIM_REFUSED
    except BrokerUnreachable as error:
        log.say(f"The broker could not be reached: {error}")
        return ExitCode.STOPPED if stop.is_requested() else ExitCode.BROKER_UNREACHABLE
    redactor.hide(*claim.secrets())
    clock = RunClock(stop, time.monotonic(), claim.timeout_seconds, claim.stop_grace_seconds)
    broker = Broker(settings.api_url, claim.session_token)
    heartbeats = Heartbeats(broker, stop, log, claim.heartbeat_seconds)
    session = Session(settings, claim, clock, broker, heartbeats, folders, log, redactor, Notices(redactor))
    heartbeats.start()
    try:
        return deliver_results(session, do_work(session))
    finally:
        heartbeats.end()
