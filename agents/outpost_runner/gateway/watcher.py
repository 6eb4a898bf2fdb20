"""What the runner hears from its gateway: figures, never a key, a prompt or an answer."""

from dataclasses import dataclass, field
from typing import Protocol

from outpost_runner.gateway.usage import Usage


@dataclass(frozen=True)
class Reading:
    """What a run has used: `calls` reached the provider, `retries` of them were answered with 429 or 5xx.

    `estimated_calls` are those whose usage the provider did not state to the end.
    """

    usage: Usage = field(default_factory=Usage)
    calls: int = 0
    retries: int = 0
    estimated_calls: int = 0
    cost_microusd: int = 0


@dataclass(frozen=True)
class CallReport:
    """One counted call; `status` is None where the provider gave none."""

    model: str
    status: int | None
    usage: Usage
    is_estimated: bool
    first_byte_ms: int | None
    total_ms: int


class GatewayWatcher(Protocol):
    """Called from the gateway's threads, perhaps from several at once; readings come in order, one at a time.

    It should be quick, and must neither raise nor stop the gateway.
    """

    def usage_changed(self, reading: Reading) -> None: ...

    def budget_nearly_used(self, reading: Reading) -> None:
        """Once, when four fifths of the budget are used."""
        ...

    def call_ended(self, report: CallReport) -> None: ...

    def gateway_failed(self, defect: str) -> None:
        """A defect of the gateway itself cut a call short: the kind of the exception and its place in the code."""
        ...
