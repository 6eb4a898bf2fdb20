"""What both programs of a container do around their work: folders, a claim, and nothing left behind."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from outpost_runner.broker import BrokerRefused, BrokerUnreachable
from outpost_runner.descendants import kill_descendants
from outpost_runner.exit_codes import ExitCode
from outpost_runner.folders import TaskFolders
from outpost_runner.log_lines import LogLines
from outpost_runner.redaction import Redactor
from outpost_runner.settings import Settings
from outpost_runner.stop import Stop

KILL_WITHIN_SECONDS = 5.0


class HasSecrets(Protocol):
    def secrets(self) -> list[str]: ...


Claimed = TypeVar("Claimed", bound=HasSecrets)


def claim_and_work(
    settings: Settings,
    stop: Stop,
    log: LogLines,
    redactor: Redactor,
    *,
    claim: Callable[[Settings, Stop], Claimed],
    work: Callable[[Claimed, TaskFolders], ExitCode],
) -> ExitCode:
    """Nothing is claimed that could not be worked on; `claim` raises BrokerError. What it brought is never shown."""
    try:
        folders = TaskFolders.create(settings.task_root)
    except OSError as error:
        log.say(f"The task's folders could not be made: {error}")
        return ExitCode.NOT_PREPARED
    try:
        claimed = _claim(settings, stop, log, claim)
        if isinstance(claimed, ExitCode):
            return claimed
        redactor.hide(*claimed.secrets())
        return work(claimed, folders)
    finally:
        kill_descendants(KILL_WITHIN_SECONDS)
        folders.remove()


def _claim(
    settings: Settings, stop: Stop, log: LogLines, claim: Callable[[Settings, Stop], Claimed]
) -> Claimed | ExitCode:
    """What was claimed, or how it ends without."""
    if stop.is_requested():
        return ExitCode.STOPPED
    try:
        return claim(settings, stop)
    except BrokerRefused as refusal:
        log.say(f"This task's work is not to be done: {refusal}")
        return ExitCode.CLAIM_REFUSED
    except BrokerUnreachable as error:
        log.say(f"The broker could not be reached: {error}")
        return ExitCode.STOPPED if stop.is_requested() else ExitCode.BROKER_UNREACHABLE
