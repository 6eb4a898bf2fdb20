"""The seam between the runner and one agent's command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from outpost_runner.redaction import Redactor


@dataclass(frozen=True)
class ModelEndpoint:
    """Where the agent's model calls go: the run's gateway. `dummy_key` is worth nothing anywhere else."""

    url: str
    dummy_key: str = field(repr=False)


@dataclass(frozen=True)
class AgentTask:
    """What an adapter knows of a run.

    `task` is the caller's own text; `prompt` is the whole text for a model, and never begins with the caller's words,
    so that no command line takes them for a command of its own. `files_folder` is where `AgentCommand.files` will be,
    `home` where `AgentCommand.home_files` will be.
    """

    model_id: str
    task: str
    prompt: str
    files_folder: Path
    home: Path
    models: ModelEndpoint | None = None

    @property
    def endpoint(self) -> ModelEndpoint:
        """The endpoint of an agent that has a provider."""
        if self.models is None:
            raise ValueError("This run has no model provider.")
        return self.models


@dataclass(frozen=True)
class AgentCommand:
    """What to run in the workspace.

    `environment` is added to the clean one. `files` holds texts by file name, readable and not writable for the agent;
    `home_files` holds texts by their path below its home, and those are its own. `stdin` is what it reads, if anything.
    """

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    home_files: Mapping[str, str] = field(default_factory=dict)
    stdin: str | None = None


@dataclass(frozen=True)
class Account:
    """What the agent itself says of its end: its summary, and why it did not finish (None: it did)."""

    summary: str | None = None
    complaint: str | None = None


class OutputReader(Protocol):
    """Reads the output of one agent's process, line by line as it comes."""

    @property
    def longest_line(self) -> int:
        """How many characters of a line it needs at once: longer ones come in pieces."""
        ...

    def read(self, stream: str, line: str) -> Sequence[str]:
        """What the log shows for a line of `stdout` or `stderr`; nothing for one that tells a person nothing."""
        ...

    def finish(self) -> Sequence[str]:
        """What is left to show once both streams have ended."""
        ...

    def account(self) -> Account:
        """The agent's account of its work, once no line follows; at most 4,000 characters of a summary are kept."""
        ...


class AgentAdapter(Protocol):
    @property
    def name(self) -> str:
        """The agent's name in the catalogue."""
        ...

    @property
    def litter(self) -> Sequence[str]:
        """What the command line leaves in the working tree that is not the agent's work, as patterns of gitignore."""
        ...

    def make_command(self, task: AgentTask) -> AgentCommand: ...

    def make_reader(self, redactor: Redactor) -> OutputReader:
        """Its lines come redacted; what it puts together of them or undoes an escape of, it redacts before it cuts."""
        ...
