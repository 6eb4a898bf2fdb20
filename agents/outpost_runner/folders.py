"""The folders of one task, all below one root."""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from outpost_runner.agent_user import AgentUser


@dataclass(frozen=True)
class TaskFolders:
    """
    root/            passable for the agent's user, but not its own: it cannot exchange what lies here
      workspace/     the working tree                      the agent's
      home/          its home, empty                       the agent's
      artifacts/     what it leaves for the caller         the agent's
      tmp/           its temporary files                   the agent's
      agent/         files that the adapter made           readable for the agent
      restoring/     a snapshot while it is unpacked       the agent's, before there is an agent
      private/       base repository, patch, output copy   the runner's only
    """

    root: Path
    removed_at_end: bool

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def agent_files(self) -> Path:
        return self.root / "agent"

    @property
    def private(self) -> Path:
        return self.root / "private"

    @property
    def base_repository(self) -> Path:
        return self.private / "base.git"

    @property
    def output_copy(self) -> Path:
        return self.private / "output.log"

    @property
    def agent_input(self) -> Path:
        return self.private / "input"

    @property
    def patch(self) -> Path:
        return self.private / "changes.patch"

    @property
    def patch_index(self) -> Path:
        return self.private / "index"

    @property
    def patch_objects(self) -> Path:
        return self.private / "objects"

    @property
    def set_aside(self) -> Path:
        return self.private / "aside"

    @property
    def restoring(self) -> Path:
        return self.root / "restoring"

    @property
    def earlier_patch(self) -> Path:
        return self.private / "earlier.patch"

    @property
    def earlier_snapshot(self) -> Path:
        return self.private / "earlier.tar.zst"

    @property
    def snapshot(self) -> Path:
        return self.private / "workspace.tar.zst"

    @classmethod
    def create(cls, root: Path | None) -> "TaskFolders":
        """Make the root and the private folder; a root that is given must not hold a task already."""
        if root is None:
            folders = cls(Path(tempfile.mkdtemp(prefix="outpost-")), removed_at_end=True)
        else:
            root.mkdir(parents=True, exist_ok=True)
            folders = cls(root, removed_at_end=False)
        folders.private.mkdir(mode=0o700)
        folders.agent_files.mkdir()
        folders.agent_files.chmod(0o755)
        return folders

    def give_to(self, user: AgentUser | None) -> None:
        """Make the agent's folders; they are this process's own user's when the agent has none."""
        for folder in (self.workspace, self.home, self.artifacts, self.temporary):
            _make_for(user, folder)
        self.root.chmod(0o700 if user is None else 0o711)

    def begin_again(self, user: AgentUser | None) -> None:
        """An empty workspace, and no base repository, whatever was there."""
        for folder in (self.workspace, self.base_repository):
            remove_tree(folder)
        _make_for(user, self.workspace)

    def remove(self) -> None:
        """Remove everything when the root is ours."""
        if self.removed_at_end:
            remove_tree(self.root)


def _make_for(user: AgentUser | None, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    if user is not None:
        user.own(folder)


def remove_tree(folder: Path) -> None:
    """Remove it with all that it holds; `rm` copes with trees that are deeper than Python's recursion."""
    if not _run_on(folder, "rm", "-rf"):
        # The agent, when it is the runner's own user, can close a folder; its owner can open it again.
        _run_on(folder, "chmod", "-R", "u+rwX")
        _run_on(folder, "rm", "-rf")


def _run_on(folder: Path, *command: str) -> bool:
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    done = subprocess.run([*command, "--", str(folder)], check=False, env=environment, stderr=subprocess.DEVNULL)
    return done.returncode == 0
