"""Tells the broker that the runner lives and what it does, and hears from it that the run is to stop."""

import threading
from enum import StrEnum

from outpost_runner.broker import Broker, BrokerError, BrokerRefused
from outpost_runner.json_fields import Json
from outpost_runner.log_lines import LogLines
from outpost_runner.stop import Stop

HEARTBEAT_TIMEOUT_SECONDS = 10.0


class Phase(StrEnum):
    CLAIMED = "claimed"
    CLONING = "cloning"
    CONTEXT = "context"
    RUNNING = "running"
    COLLECTING = "collecting"
    CHECKING = "checking"
    UPLOADING = "uploading"


class Heartbeats:
    """A thread that beats at each change of phase and every `every_seconds`; after a miss it comes back sooner."""

    def __init__(self, broker: Broker, stop: Stop, log: LogLines, every_seconds: int) -> None:
        self._broker = broker
        self._stop = stop
        self._log = log
        self._every_seconds = every_seconds
        self._phase = Phase.CLAIMED
        self._usage: Json = None
        self._is_over = False
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="heartbeats", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def enter(self, phase: Phase) -> None:
        self._phase = phase
        self._changed.set()

    def tell_usage(self, usage: Json, *, at_once: bool = False) -> None:
        """Take the latest reading along with the next heartbeat, or now."""
        self._usage = usage
        if at_once:
            self._changed.set()

    def end(self) -> None:
        """No further heartbeat; one that is on its way is not waited for."""
        self._is_over = True
        self._changed.set()

    def _beat_on(self) -> None:
        misses = 0
        while not self._is_over:
            self._changed.clear()
            misses = 0 if self._beat() else misses + 1
            wait = self._every_seconds if misses == 0 else self._broker.backoff.delay(misses)
            self._changed.wait(wait)

    def _beat(self) -> bool:
        """False when the broker did not answer; the run goes on without it."""
        body = {"phase": self._phase.value, "message": None, "usage": self._usage}
        try:
            self._broker.call_once("/runner/heartbeat", body, HEARTBEAT_TIMEOUT_SECONDS)
        except BrokerRefused as refusal:
            if refusal.is_gone() and not self._is_over and not self._stop.is_requested():
                self._log.say("The run is over or being cancelled: the agent is stopped.")
                self._stop.request()
            return True
        except BrokerError:
            return False
        return True
