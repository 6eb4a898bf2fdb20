"""Runs git without any configuration, prompt or hook from outside, supervised and with a bounded answer."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from outpost_runner.agent_user import AgentUser
from outpost_runner.process import Command, Watch
from outpost_runner.program import ProgramFailed, ProgramInterrupted, run_program

SHA1_CHARACTERS = 40


class GitFailed(ProgramFailed):
    """Git ended with an error; the message is what it said last."""


class GitInterrupted(ProgramInterrupted):
    """Git was ended by its watch."""


def object_format_of(commit: str) -> str:
    """The option of `git init` for a repository that can hold the commit."""
    return f"--object-format={'sha1' if len(commit) == SHA1_CHARACTERS else 'sha256'}"


@dataclass(frozen=True)
class Git:
    folder: Path
    scratch: Path
    watch: Watch
    user: AgentUser | None = None
    configuration: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def run(self, *arguments: str, stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None) -> str:
        """What git answers (its first 64 KiB; empty when `stdout` is given); raises GitFailed or GitInterrupted."""
        command = Command(["git", *arguments], self.folder, self._full_environment(), self.user)
        try:
            return run_program(command, self.watch, scratch=self.scratch, stdin=stdin, stdout=stdout)
        except ProgramFailed as failure:
            raise GitFailed(str(failure), failure.exit_code) from None
        except ProgramInterrupted as interruption:
            raise GitInterrupted("git", interruption.ending) from None

    def _full_environment(self) -> dict[str, str]:
        """Configuration goes through the environment: an argument list is for everybody on the machine to read."""
        settings = {"core.hooksPath": os.devnull, "core.fsmonitor": "false", "gc.auto": "0", **self.configuration}
        pairs = list(enumerate(settings.items()))
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.devnull,
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "GIT_ALLOW_PROTOCOL": "http:https",
            "GIT_CONFIG_COUNT": str(len(pairs)),
            **{f"GIT_CONFIG_KEY_{index}": name for index, (name, _) in pairs},
            **{f"GIT_CONFIG_VALUE_{index}": value for index, (_, value) in pairs},
            **self.environment,
        }
