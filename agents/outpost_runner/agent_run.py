"""Runs the agent's command in the workspace and carries its output to the log."""

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from outpost_runner.agent_user import AgentUser
from outpost_runner.agents.adapter import AgentCommand
from outpost_runner.folders import TaskFolders
from outpost_runner.log_lines import LogLines
from outpost_runner.output import OutputLog, OutputPump
from outpost_runner.process import Command, Ending, SupervisedProcess, Watch
from outpost_runner.redaction import Redactor

OUTPUT_END_SECONDS = 3.0


@dataclass(frozen=True)
class AgentEnd:
    ending: Ending
    exit_code: int | None
    tail: Sequence[str]


@dataclass(frozen=True)
class AgentSurroundings:
    """What every agent's process gets, whatever its adapter adds."""

    run_id: str
    agent: str
    folders: TaskFolders
    user: AgentUser | None

    def environment(self) -> dict[str, str]:
        """Nothing of the runner's own environment but the search path."""
        return {
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
    surroundings: AgentSurroundings,
    watch: Watch,
    *,
    grace_seconds: Callable[[], float],
    output_limit_bytes: int,
    log: LogLines,
    redactor: Redactor,
) -> AgentEnd:
    """Run to the end, the deadline or the stop; afterwards no process of it lives. Raises ProgramNotStarted."""
    folders = surroundings.folders
    _write_files(command, folders)
    output = OutputLog(log, folders.output_copy, output_limit_bytes)
    environment = {**surroundings.environment(), **command.environment}
    process = SupervisedProcess(
        Command(command.argv, folders.workspace, environment, surroundings.user),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        pump = OutputPump(process.stdout, process.stderr, output, redactor)
        ending = process.wait(watch)
    finally:
        all_gone = process.end(grace_seconds())
    if not all_gone:
        log.say("Some processes of the agent could not be killed.")
    if not pump.finish(OUTPUT_END_SECONDS):
        log.say("The end of the output is missing: it could not be read to its end in time.")
    output.close()
    return AgentEnd(ending, process.exit_code(), list(output.tail))


def _write_files(command: AgentCommand, folders: TaskFolders) -> None:
    for name, text in command.files.items():
        file = folders.agent_files / name
        file.write_bytes(text.encode(errors="replace"))
        file.chmod(0o644)
