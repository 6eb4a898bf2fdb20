"""What the steps of one claimed run share."""

from dataclasses import dataclass
from pathlib import Path

from outpost_runner.agent_run import AgentSurroundings
from outpost_runner.agent_user import AgentUser
from outpost_runner.broker import Broker
from outpost_runner.claim import Claim
from outpost_runner.folders import TaskFolders
from outpost_runner.git import Git
from outpost_runner.heartbeats import Heartbeats
from outpost_runner.log_lines import LogLines
from outpost_runner.notices import Notices
from outpost_runner.patience import Patience
from outpost_runner.process import Watch
from outpost_runner.redaction import Redactor
from outpost_runner.settings import Settings
from outpost_runner.stop import RunClock


@dataclass(frozen=True)
class Session:
    settings: Settings
    claim: Claim
    clock: RunClock
    broker: Broker
    heartbeats: Heartbeats
    folders: TaskFolders
    log: LogLines
    redactor: Redactor
    notices: Notices

    def run_watch(self) -> Watch:
        """For what belongs to the run: it ends at the run's deadline or when somebody stops it."""
        return Watch(self.clock.run_deadline, self.clock.stop.is_requested)

    def run_patience(self) -> Patience:
        """For a request that belongs to the run."""
        return Patience(self.clock.run_by)

    def upload_patience(self) -> Patience:
        return Patience(self.clock.upload_by)

    def report_patience(self) -> Patience:
        return Patience(self.clock.finish_by)

    def base_git(self, base: Path, watch: Watch) -> Git:
        """Git in the repository that only the runner reaches."""
        return Git(base, self.folders.private, watch)

    def agent_git(self, user: AgentUser | None, watch: Watch) -> Git:
        """Git in the workspace with no more rights than the agent has."""
        return Git(self.folders.workspace, self.folders.private, watch, user)

    def agent_surroundings(self, user: AgentUser | None) -> AgentSurroundings:
        run = self.claim.run
        return AgentSurroundings(run.run_id, run.agent, self.folders, user, self.claim.environment)
