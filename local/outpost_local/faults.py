"""Failures that a test orders of the embedded AWS, met by whoever calls it next."""

import threading
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Fault:
    """The answer to the next `times` calls of an operation; `after_effect` when the call does its work all the same."""

    operation: str
    code: str
    status: int
    message: str
    times: int
    after_effect: bool


class Faults:
    """The ordered failures; empty unless a test puts some in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}

    def fail(
        self,
        operation: str,
        *,
        code: str = "InternalServerError",
        status: int = 500,
        message: str = "A fault that was asked for.",
        times: int = 1,
        after_effect: bool = False,
    ) -> None:
        """Make the next `times` calls of `operation` ("StartExecution", "PutObject") fail."""
        with self._lock:
            self._faults[operation] = Fault(operation, code, status, message, times, after_effect)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, operation: str) -> Fault | None:
        """The fault for this one call, used up by it."""
        with self._lock:
            fault = self._faults.pop(operation, None)
            if fault is not None and fault.times > 1:
                self._faults[operation] = replace(fault, times=fault.times - 1)
            return fault
