"""The report of a run's end, in the broker's words and within its limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from outpost_runner.artifacts import MAX_NAME_CHARACTERS, Omission
from outpost_runner.check import CheckResult
from outpost_runner.context import ContextSource
from outpost_runner.json_fields import Json
from outpost_runner.outcome import Outcome
from outpost_runner.patch import Statistics
from outpost_runner.uploads import Upload
from outpost_runner.workspace_keeping import KeptState

MAX_SUMMARY_CHARACTERS = 4000
MAX_MESSAGE_CHARACTERS = 4000
MAX_REASON_CHARACTERS = 200
MAX_OMISSIONS = 20
MAX_SOURCES = 50
SMALLEST_MESSAGE = "The report of the end was refused; this is its smallest form."


@dataclass(frozen=True)
class Changes:
    """What the agent changed, as its account and as numbers."""

    summary: str | None
    statistics: Statistics
    base: str
    head: str | None

    def to_json(self) -> Json:
        return {
            "summary": None if self.summary is None else self.summary[-MAX_SUMMARY_CHARACTERS:],
            "filesChanged": self.statistics.files_changed,
            "insertions": self.statistics.insertions,
            "deletions": self.statistics.deletions,
            "renames": self.statistics.renames,
            "baseSha": self.base,
            "headSha": self.head,
        }


@dataclass(frozen=True)
class Report:
    """`changes` is None when the agent's work could not be read, or there was none."""

    outcome: Outcome
    changes: Changes | None
    uploads: Sequence[Upload]
    omitted: Sequence[Omission]
    usage: Json = None
    context_sources: Sequence[ContextSource] = ()
    check: CheckResult | None = None
    workspace: KeptState | None = None
    notices: Sequence[str] = ()

    def to_json(self) -> Mapping[str, Json]:
        failure = self.outcome.failure
        error = None if failure is None else {"code": failure.code, "message": failure.message[:MAX_MESSAGE_CHARACTERS]}
        return {
            "outcome": self.outcome.name.value,
            "exitCode": self.outcome.agent_exit_code,
            "error": error,
            "result": None if self.changes is None else self.changes.to_json(),
            "uploads": [file.to_json() for file in self.uploads],
            "omitted": [_report_omission(omission) for omission in self.omitted[:MAX_OMISSIONS]],
            "usage": self.usage,
            "contextSources": [_report_source(source) for source in self.context_sources[:MAX_SOURCES]],
            "check": None if self.check is None else self.check.to_json(),
            "workspace": None if self.workspace is None else self.workspace.to_json(),
            "notices": list(self.notices),
        }

    def reduce(self) -> "Report":
        """Without any text that may be what the broker refuses."""
        failure = self.outcome.failure
        short = None if failure is None else replace(failure, message=SMALLEST_MESSAGE)
        return replace(
            self,
            outcome=replace(self.outcome, failure=short),
            omitted=[],
            context_sources=(),
            check=None if self.check is None else replace(self.check, output=""),
            workspace=None if self.workspace is None else replace(self.workspace, reason=None),
            notices=(),
        )


def _report_omission(omission: Omission) -> Json:
    return {"name": omission.name[:MAX_NAME_CHARACTERS], "reason": omission.reason[:MAX_REASON_CHARACTERS]}


def _report_source(source: ContextSource) -> Json:
    return {"path": source.path[:MAX_NAME_CHARACTERS], "tokens": source.tokens, "isCut": source.is_cut}
