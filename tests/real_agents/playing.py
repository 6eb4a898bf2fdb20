"""Plays scripts to an agent: dispatches a run while its provider says what the script says."""

from dataclasses import dataclass
from typing import Any

from stack_caller import Caller

from .provider.model_provider import ModelProvider, Script
from .provider.steps import Step

GIT_TOKEN = "ghp_canary-of-git-51c0"
NOTE = "In this repository the llama has the last word."
TASK = "Put new words for the old ones, and make a file."
# What an agent's own user can read. The brackets keep the command from finding itself; some agents refuse $(...).
LOOK = """
look() {
  {
    cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline
    env
    find . ../agent "$HOME" /tmp -type f -exec cat {} +
  } 2>/dev/null | grep --text --count --extended-regexp "$1" | sed 's/[1-9].*/some/'
}
{
  echo canaries: && look 'sk-[c]anary|ghp_[c]anary'
  echo its own run: && look 'OUTPOST_[R]UN_ID='
} > seen.txt
"""
SEEN = "canaries:\n0\nits own run:\nsome\n"
PATIENCE_SECONDS = 110


@dataclass(frozen=True)
class Played:
    """A run and its script; `run` is as it ended."""

    run: dict[str, Any]
    script: Script

    @property
    def run_id(self) -> str:
        return str(self.run["runId"])

    @property
    def end(self) -> tuple[str, str | None]:
        """The status, and the error's code."""
        error = self.run["error"]
        return self.run["status"], error and error["code"]


@dataclass(frozen=True)
class Player:
    caller: Caller
    agent: str
    provider: ModelProvider

    def start(self, *steps: Step, task: str = TASK, **fields: Any) -> tuple[str, Script]:
        """The id of a run whose models say these steps."""
        script = self.provider.play(*steps)
        return self.caller.dispatch(task, agent=self.agent, repo="acme/site", **fields), script

    def play(self, *steps: Step, task: str = TASK, **fields: Any) -> Played:
        """The same, at its end."""
        run_id, script = self.start(*steps, task=task, **fields)
        return self.wait(run_id, script)

    def wait(self, run_id: str, script: Script) -> Played:
        return Played(self.caller.wait(run_id, seconds=PATIENCE_SECONDS), script)
