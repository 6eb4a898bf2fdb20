"""What has come together of a run's results so far."""

from dataclasses import dataclass, field

from outpost_runner.artifacts import Omission
from outpost_runner.check import CheckResult
from outpost_runner.outcome import Outcome, lose_results
from outpost_runner.patch import Statistics
from outpost_runner.uploads import Upload


@dataclass
class Results:
    outcome: Outcome
    statistics: Statistics | None = None
    head: str | None = None
    delivered: list[Upload] = field(default_factory=list)
    omitted: list[Omission] = field(default_factory=list)
    check: CheckResult | None = None

    def lose(self, reason: str) -> None:
        self.outcome = lose_results(self.outcome, reason)
