"""Runs the caller's own command on what the agent left, and keeps its verdict, which is not the run's outcome."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from outpost_runner.agent_run import run_agent
from outpost_runner.agent_user import AgentUser
from outpost_runner.agents.adapter import Account, AgentCommand
from outpost_runner.heartbeats import Phase
from outpost_runner.json_fields import Json
from outpost_runner.log_lines import MAX_MESSAGE_CHARACTERS
from outpost_runner.process import Ending, ProgramNotStarted
from outpost_runner.session import Session

# Beside the agent's own: an agent that used up its output leaves room for the check's.
OUTPUT_LIMIT_BYTES = 1024 * 1024
MAX_OUTPUT_CHARACTERS = 4000
MAX_SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class CheckResult:
    """`output` is the end of what it printed; `exit_code` is None when it could not be started.

    Of one that `has_survivors`, processes live on among the agent's files.
    """

    exit_code: int | None
    timed_out: bool
    output: str
    seconds: float
    has_survivors: bool = False

    @property
    def passed(self) -> bool:
        return self.exit_code == 0 and not self.timed_out

    def to_json(self) -> Json:
        return {
            "exitCode": self.exit_code,
            "passed": self.passed,
            "timedOut": self.timed_out,
            "output": self.output[-MAX_OUTPUT_CHARACTERS:],
            "seconds": round(self.seconds, 3),
        }


def run_check(session: Session, user: AgentUser | None, command: str) -> CheckResult:
    """Run it as the agent ran, until the run's own deadline."""
    session.heartbeats.enter(Phase.CHECKING)
    session.log.say(f"Running the check: {session.redactor.redact(command)[:MAX_SHOWN_CHARACTERS]}")
    tail = Tail()
    since = time.monotonic()
    try:
        end = run_agent(
            AgentCommand(["sh", "-c", command]),
            tail,
            session.agent_surroundings(user),
            session.run_watch(),
            grace_seconds=session.clock.terminate_grace,
            output_limit_bytes=OUTPUT_LIMIT_BYTES,
            log=session.log,
            redactor=session.redactor,
        )
    except (ProgramNotStarted, OSError) as error:
        return CheckResult(None, timed_out=False, output=str(error), seconds=time.monotonic() - since)
    timed_out = end.ending is Ending.DEADLINE
    session.log.say("The check did not end in time." if timed_out else f"The check ended with {end.exit_code}.")
    seconds = time.monotonic() - since
    return CheckResult(end.exit_code, timed_out, tail.text(), seconds, has_survivors=end.has_survivors)


class Tail:
    """Shows every line as it is, and keeps the last ones."""

    longest_line = MAX_MESSAGE_CHARACTERS

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._characters = 0

    def read(self, stream: str, line: str) -> Sequence[str]:  # noqa: ARG002 both streams are alike to it
        self._lines.append(line)
        self._characters += len(line)
        while self._characters - len(self._lines[0]) > MAX_OUTPUT_CHARACTERS:
            self._characters -= len(self._lines.popleft())
        return (line,)

    def finish(self) -> Sequence[str]:
        return ()

    def account(self) -> Account:
        return Account()

    def text(self) -> str:
        return "\n".join(self._lines)[-MAX_OUTPUT_CHARACTERS:]
