"""The report of a promotion's end, in the broker's words and within its limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from outpost_runner.exit_codes import ExitCode
from outpost_runner.json_fields import Json
from outpost_runner.promotion.errors import Conflict, PatchConflicts, PromotionFailed
from outpost_runner.promotion.github import PullRequest

MAX_MESSAGE_CHARACTERS = 1000
MAX_PATH_CHARACTERS = 255
MAX_REASON_CHARACTERS = 200
MAX_CONFLICTS = 50
UNPRINTABLE = "\ufffd"
SMALLEST_MESSAGE = "The report of the end was refused; this is its smallest form."


@dataclass
class Promotion:
    """How far it came: each field is set once that is so, and holds whatever comes after it."""

    branch: str
    base_branch: str | None = None
    commit: str | None = None
    pull_request: PullRequest | None = None
    compare_url: str | None = None


@dataclass(frozen=True)
class PromotionReport:
    promotion: Promotion
    code: str | None = None
    message: str = ""
    conflicts: Sequence[Conflict] = ()

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.SUCCEEDED if self.code is None else ExitCode.AGENT_FAILED

    def to_json(self) -> Json:
        made = self.promotion
        pull = made.pull_request
        return {
            "outcome": "promoted" if self.code is None else "failed",
            "branch": made.branch,
            "baseBranch": made.base_branch,
            "commit": made.commit,
            "pullRequest": None if pull is None else {"number": pull.number, "url": pull.url, "draft": pull.is_draft},
            "compareUrl": made.compare_url,
            "error": None if self.code is None else {"code": self.code, "message": self.message},
            "conflicts": [{"path": conflict.path, "reason": conflict.reason} for conflict in self.conflicts],
        }

    def reduce(self) -> "PromotionReport":
        """Without any text that may be what the broker refuses."""
        made = replace(self.promotion, compare_url=None)
        return replace(self, promotion=made, message=SMALLEST_MESSAGE, conflicts=[])


def report_failure(promotion: Promotion, failure: PromotionFailed, redact: Callable[[str], str]) -> PromotionReport:
    """Tell the failure without any secret, printable, and short enough."""
    conflicts = failure.conflicts if isinstance(failure, PatchConflicts) else []
    return PromotionReport(
        promotion,
        failure.code,
        _show(redact(str(failure)))[:MAX_MESSAGE_CHARACTERS],
        [
            Conflict(
                _show(redact(conflict.path))[:MAX_PATH_CHARACTERS],
                _show(redact(conflict.reason))[:MAX_REASON_CHARACTERS],
            )
            for conflict in conflicts[:MAX_CONFLICTS]
        ],
    )


def _show(text: str) -> str:
    return "".join(each if each.isprintable() else UNPRINTABLE for each in " ".join(text.splitlines()))
