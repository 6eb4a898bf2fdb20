"""Runs git without any configuration, prompt or hook from outside, supervised and with a bounded answer."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from outpost_runner.agent_user import AgentUser
from outpost_runner.process import Command, Ending, SupervisedProcess, Watch

ANSWER_BYTES = 64 * 1024
TERMINATE_SECONDS = 1.0
COMPLAINT_BYTES = 4096
NOTHING = b"\0"


class GitFailed(Exception):
    """Git ended with an error; the message is what it said last."""

    def __init__(self, message: str, exit_code: int | None) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class GitInterrupted(Exception):
    """Git was ended by its watch."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(f"git was ended: {ending.name}")
        self.ending = ending


@dataclass(frozen=True)
class Git:
    folder: Path
    scratch: Path
    watch: Watch
    user: AgentUser | None = None
    configuration: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def run(self, *arguments: str, stdout: IO[bytes] | None = None) -> str:
        """What git answers (its first 64 KiB; empty when `stdout` is given); raises GitFailed or GitInterrupted."""
        with tempfile.TemporaryFile(dir=self.scratch) as answer, tempfile.TemporaryFile(dir=self.scratch) as complaint:
            _reserve(complaint)
            command = Command(["git", *arguments], self.folder, self._full_environment(), self.user)
            process = SupervisedProcess(command, stdout=stdout or answer, stderr=complaint)
            try:
                ending = process.wait(self.watch)
            finally:
                process.end(TERMINATE_SECONDS)
            if ending is not Ending.EXITED:
                raise GitInterrupted(ending)
            code = process.exit_code()
            if code != 0:
                raise GitFailed(_read_complaint(complaint), code)
            answer.seek(0)
            return answer.read(ANSWER_BYTES).decode(errors="replace").strip()

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


def _reserve(complaint: IO[bytes]) -> None:
    """Take room for what git says, so that it can still say that the disk is full."""
    complaint.write(NOTHING * COMPLAINT_BYTES)
    complaint.seek(0)


def _read_complaint(complaint: IO[bytes]) -> str:
    """The last part of standard error: git puts the reason at the end, its hints come before."""
    complaint.seek(0, os.SEEK_END)
    complaint.seek(max(0, complaint.tell() - ANSWER_BYTES))
    return complaint.read().rstrip(NOTHING).decode(errors="replace").strip()
