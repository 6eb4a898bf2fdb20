"""Runs the agent's command in the workspace and carries its output to the log."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from outpost_runner.agent_user import AgentUser
from outpost_runner.agents.adapter import Account, AgentCommand, OutputReader
from outpost_runner.folders import TaskFolders
from outpost_runner.log_lines import LogLines
from outpost_runner.out_of_memory import count_kills
from outpost_runner.output import OutputLog, OutputPump
from outpost_runner.process import Command, Ending, SupervisedProcess, Watch
from outpost_runner.redaction import Redactor

OUTPUT_END_SECONDS = 3.0
KILLED = 128 + signal.SIGKILL


@dataclass(frozen=True)
class AgentEnd:
    ending: Ending
    exit_code: int | None
    account: Account
    has_survivors: bool
    was_out_of_memory: bool


@dataclass(frozen=True)
class AgentSurroundings:
    """What every agent's process gets, whatever its adapter adds; `secrets` are those that the caller asked for."""

    run_id: str
    agent: str
    folders: TaskFolders
    user: AgentUser | None
    secrets: Mapping[str, str] = field(repr=False)

    def environment(self) -> dict[str, str]:
        """Nothing of the runner's own environment but the search path."""
        return {
            **self.secrets,
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folders.home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.folders.temporary),
            "OUTPOST_RUN_ID": self.run_id,
            "OUTPOST_ARTIFACTS_DIR": str(self.folders.artifacts),
            "OUTPOST_AGENT": self.agent,
        }


def run_agent(
    command: AgentCommand,
    reader: OutputReader,
    surroundings: AgentSurroundings,
    watch: Watch,
    *,
    grace_seconds: Callable[[], float],
    output_limit_bytes: int,
    log: LogLines,
    redactor: Redactor,
) -> AgentEnd:
    """Run to the end, the deadline or the stop; afterwards no process of it lives, or it is said to have survivors.

    Raises ProgramNotStarted.
    """
    folders = surroundings.folders
    _write_files(command, folders, surroundings.user)
    output = OutputLog(log, folders.output_copy, output_limit_bytes, reader, redactor)
    environment = {**surroundings.environment(), **command.environment}
    with _open_input(command.stdin, folders.agent_input) as stdin:
        process = SupervisedProcess(
            Command(command.argv, folders.workspace, environment, surroundings.user),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=stdin,
        )
    kills_before = count_kills()
    try:
        pump = OutputPump(process.stdout, process.stderr, output, redactor)
        ending = process.wait(watch)
    finally:
        all_gone = process.end(grace_seconds())
    if not all_gone:
        log.say("Some processes of the agent could not be killed.")
    with log.holding_nobody_up():
        is_read = pump.finish(OUTPUT_END_SECONDS)
    if not is_read:
        log.say("The end of the output is missing: it could not be read to its end in time.")
    output.close()
    exit_code = process.exit_code()
    was_out_of_memory = ending is Ending.EXITED and exit_code == KILLED and count_kills() > kills_before
    return AgentEnd(
        ending, exit_code, reader.account(), has_survivors=not all_gone, was_out_of_memory=was_out_of_memory
    )


@contextmanager
def _open_input(text: str | None, path: Path) -> Iterator[int | IO[bytes]]:
    """A file rather than a pipe: an agent that does not read it holds nobody up."""
    if text is None:
        yield subprocess.DEVNULL
        return
    path.write_bytes(text.encode(errors="replace"))
    with path.open("rb") as file:
        yield file


def _write_files(command: AgentCommand, folders: TaskFolders, user: AgentUser | None) -> None:
    for name, text in command.files.items():
        file = folders.agent_files / name
        file.write_bytes(text.encode(errors="replace"))
        file.chmod(0o644)
    for name, text in command.home_files.items():
        file = folders.home / name
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_bytes(text.encode(errors="replace"))
        file.chmod(0o600)
        _give(file, folders.home, user)


def _give(file: Path, home: Path, user: AgentUser | None) -> None:
    """Make the file and the folders between it and the home the agent's own."""
    if user is not None:
        for path in (file, *file.parents):
            if path == home:
                return
            user.own(path)
