"""The process: reads its settings, takes signals, and ends with the exit code that says the outcome."""

import os
import signal
import sys

from outpost_runner.exit_codes import ExitCode
from outpost_runner.lifecycle import run_to_end
from outpost_runner.linux import harden_process
from outpost_runner.log_lines import LogLines
from outpost_runner.redaction import Redactor
from outpost_runner.settings import SettingMissing, Settings
from outpost_runner.stop import Stop

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    stop = Stop()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda _number, _frame: stop.request())
    harden_process()
    code = _run(stop)
    # From here on a signal ends the process by itself; one that came before makes a success none.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    return ExitCode.STOPPED if code is ExitCode.SUCCEEDED and stop.is_requested() else code


def _run(stop: Stop) -> ExitCode:
    redactor = Redactor()
    log = LogLines(sys.stdout.fileno(), redactor)
    try:
        settings = Settings.from_environment(os.environ)
    except SettingMissing as missing:
        log.say(str(missing))
        return ExitCode.NOT_PREPARED
    else:
        redactor.hide(settings.bootstrap_token)
        return run_to_end(settings, stop, log, redactor)
    finally:
        log.close()


if __name__ == "__main__":
    sys.exit(main())
