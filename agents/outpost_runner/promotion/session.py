"""What the steps of one claimed promotion share."""

from dataclasses import dataclass

from outpost_runner.claim import GitCredential, Repository
from outpost_runner.folders import TaskFolders
from outpost_runner.git import Git
from outpost_runner.log_lines import LogLines
from outpost_runner.promotion.claim import PromotionClaim
from outpost_runner.promotion.clock import PromotionClock
from outpost_runner.redaction import Redactor
from outpost_runner.settings import Settings
from outpost_runner.workspace import with_credential

CONFIGURATION = {
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
}
# A host may check for long what it was sent before it says anything.
PUSH_STALL_SECONDS = 120


@dataclass(frozen=True)
class PromotionSession:
    settings: Settings
    claim: PromotionClaim
    clock: PromotionClock
    folders: TaskFolders
    log: LogLines
    redactor: Redactor

    def git(self) -> Git:
        """Git in the repository of this task, with no credential in its reach."""
        return Git(self.folders.base_repository, self.folders.private, self.clock.watch(), configuration=CONFIGURATION)

    def fetching_git(self, credential: GitCredential) -> Git:
        return self._offering_git(credential, self.settings.clone_stall_seconds)

    def pushing_git(self, credential: GitCredential) -> Git:
        return self._offering_git(credential, max(PUSH_STALL_SECONDS, self.settings.clone_stall_seconds))

    def _offering_git(self, credential: GitCredential, stall_seconds: int) -> Git:
        """A credential that may write goes to the address it is for, and follows no redirect.

        Not to fetch either, though a run's clone may: nothing could then be pushed, or proposed, where it led.
        """
        repository = Repository(self.claim.repository_url, None, may_redirect=False)
        return with_credential(self.git(), repository, credential, stall_seconds)
