"""What both programs of a container share: settings are read, signals taken, and the exit code says the outcome."""

import os
import signal
import sys
from collections.abc import Callable

from outpost_runner.exit_codes import ExitCode
from outpost_runner.linux import harden_process
from outpost_runner.log_lines import LogLines
from outpost_runner.redaction import Redactor
from outpost_runner.settings import SettingMissing, Settings
from outpost_runner.stop import Stop

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

Flow = Callable[[Settings, Stop, LogLines, Redactor], ExitCode]


def run_flow(flow: Flow) -> int:
    """The exit code of the flow."""
    stop = Stop()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda _number, _frame: stop.request())
    harden_process()
    code = _run(flow, stop)
    # From here on a signal ends the process by itself; one that came before makes a success none.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    return ExitCode.STOPPED if code is ExitCode.SUCCEEDED and stop.is_requested() else code


def _run(flow: Flow, stop: Stop) -> ExitCode:
    redactor = Redactor()
    log = LogLines(sys.stdout.fileno(), redactor)
    try:
        settings = Settings.from_environment(os.environ)
    except SettingMissing as missing:
        log.say(str(missing))
        return ExitCode.NOT_PREPARED
    else:
        redactor.hide(settings.bootstrap_token)
        return flow(settings, stop, log, redactor)
    finally:
        log.close()
