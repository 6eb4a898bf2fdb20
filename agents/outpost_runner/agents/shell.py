"""The agent `shell`: runs the task's text as a bash script, with no model and no key."""

from collections.abc import Sequence

from outpost_runner.agents.adapter import AgentCommand, AgentTask

SCRIPT = "task.sh"
SUMMARY_LINES = 5


class ShellAgent:
    name = "shell"

    def make_command(self, task: AgentTask) -> AgentCommand:
        """The text goes into a file: an argument may not be longer than 128 KiB on Linux."""
        return AgentCommand(argv=["bash", str(task.files_folder / SCRIPT)], files={SCRIPT: task.task})

    def summarize(self, tail: Sequence[str]) -> str | None:
        lines = [line.rstrip() for line in tail if line.strip()]
        return "\n".join(lines[-SUMMARY_LINES:]) or None
