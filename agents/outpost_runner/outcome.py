"""How a run ended, in the broker's words and as an exit code."""

from dataclasses import dataclass
from enum import StrEnum

from outpost_runner.exit_codes import ExitCode
from outpost_runner.process import Ending


class OutcomeName(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Failure:
    code: str
    message: str


@dataclass(frozen=True)
class Outcome:
    name: OutcomeName
    runner_exit_code: ExitCode
    agent_exit_code: int | None = None
    failure: Failure | None = None


def judge_agent(ending: Ending, exit_code: int | None, timeout_seconds: int) -> Outcome:
    if ending is Ending.EXITED and exit_code == 0:
        return Outcome(OutcomeName.SUCCEEDED, ExitCode.SUCCEEDED, 0)
    if ending is Ending.EXITED:
        failure = Failure("AGENT_FAILED", f"The agent ended with exit code {exit_code}.")
        return Outcome(OutcomeName.FAILED, ExitCode.AGENT_FAILED, exit_code, failure)
    return judge_interruption(ending, exit_code, timeout_seconds)


def judge_interruption(ending: Ending, exit_code: int | None, timeout_seconds: int) -> Outcome:
    """The end of whatever the deadline or a stop cut short."""
    if ending is Ending.STOPPED:
        return cancel(exit_code)
    failure = Failure("RUN_TIMEOUT", f"The run did not end within its {timeout_seconds} seconds.")
    return Outcome(OutcomeName.TIMEOUT, ExitCode.TIMED_OUT, exit_code, failure)


def cancel(exit_code: int | None) -> Outcome:
    failure = Failure("CANCELLED_BY_USER", "The run was stopped before its end.")
    return Outcome(OutcomeName.CANCELLED, ExitCode.STOPPED, exit_code, failure)


def refuse_to_begin(code: str, message: str) -> Outcome:
    return Outcome(OutcomeName.FAILED, ExitCode.NOT_PREPARED, None, Failure(code, message))


def lose_results(outcome: Outcome, message: str) -> Outcome:
    """A success without its results is none; an end that was bad already keeps its reason."""
    if outcome.name is not OutcomeName.SUCCEEDED:
        return outcome
    failure = Failure("OUTPUT_FAILED", message)
    return Outcome(OutcomeName.FAILED, ExitCode.NOT_DELIVERED, outcome.agent_exit_code, failure)
