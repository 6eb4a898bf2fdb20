"""The seam between the runner and one agent's command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from outpost_runner.claim import ProviderCredential


@dataclass(frozen=True)
class AgentTask:
    """What an adapter knows of a run; `files_folder` is where its files will be, readable for the agent."""

    model_id: str
    task: str
    provider: ProviderCredential | None
    files_folder: Path


@dataclass(frozen=True)
class AgentCommand:
    """What to run in the workspace; `files` holds texts by file name, `environment` is added to the clean one."""

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


class AgentAdapter(Protocol):
    @property
    def name(self) -> str:
        """The agent's name in the catalogue."""
        ...

    def make_command(self, task: AgentTask) -> AgentCommand: ...

    def summarize(self, tail: Sequence[str]) -> str | None:
        """The agent's own account of its work, from the last lines of its output; at most 4,000 characters are kept."""
        ...
