"""The agent `shell`: runs the task's text as a bash script, with no model and no key."""

from outpost_runner.agents.adapter import AgentCommand, AgentTask
from outpost_runner.agents.plain_output import PlainOutput
from outpost_runner.redaction import Redactor

SCRIPT = "task.sh"
SUMMARY_LINES = 5


class ShellAgent:
    name = "shell"
    litter = ()

    def make_command(self, task: AgentTask) -> AgentCommand:
        """The text goes into a file: an argument may not be longer than 128 KiB on Linux."""
        return AgentCommand(argv=["bash", str(task.files_folder / SCRIPT)], files={SCRIPT: task.task})

    def make_reader(self, redactor: Redactor) -> PlainOutput:  # noqa: ARG002 its lines come redacted
        return PlainOutput(SUMMARY_LINES)
