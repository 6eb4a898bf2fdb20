"""How a run ended, in the broker's words and as an exit code."""

from dataclasses import dataclass
from enum import StrEnum

from outpost_runner.agent_run import AgentEnd
from outpost_runner.exit_codes import ExitCode
from outpost_runner.gateway.trouble import Trouble
from outpost_runner.process import Ending
from outpost_runner.run_models import ModelsEnd


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


def judge_agent(end: AgentEnd, models: ModelsEnd | None, timeout_seconds: int) -> Outcome:
    """How the agent's own end, what it says of it, and what its gateway has seen come together.

    An agent that ended well by its own account did so, whatever befell a call on the way. One that did not is judged by
    the gateway first: command lines end with 0 after errors, and call by the same name what are different failures.
    """
    if end.ending is Ending.DEADLINE:
        return judge_interruption(end.ending, end.exit_code, timeout_seconds)
    if models is not None and models.is_budget_exceeded:
        failure = Failure("BUDGET_EXCEEDED", "The run used up its model budget, and the agent was stopped.")
        return Outcome(OutcomeName.FAILED, ExitCode.BUDGET_USED, end.exit_code, failure)
    if end.ending is Ending.STOPPED:
        return cancel(end.exit_code)
    complaint = _find_complaint(end, models)
    if complaint is None:
        return Outcome(OutcomeName.SUCCEEDED, ExitCode.SUCCEEDED, 0)
    if end.was_out_of_memory:
        failure = Failure("OUT_OF_MEMORY", "The agent used up the task's memory, and was killed.")
        return Outcome(OutcomeName.FAILED, ExitCode.AGENT_FAILED, end.exit_code, failure)
    if models is not None and models.trouble is not None:
        return _blame_provider(models.trouble, end.exit_code)
    return Outcome(OutcomeName.FAILED, ExitCode.AGENT_FAILED, end.exit_code, Failure("AGENT_FAILED", complaint))


def _find_complaint(end: AgentEnd, models: ModelsEnd | None) -> str | None:
    """Why the agent did not do its work; None when it did."""
    said = "" if end.account.complaint is None else f" {end.account.complaint}"
    if end.exit_code != 0:
        return f"The agent ended with exit code {end.exit_code}.{said}"
    if said:
        return f"The agent did not finish.{said}"
    if models is not None and models.reading.calls == 0:
        return "The agent ended without a single call of its model."
    return None


def _blame_provider(trouble: Trouble, exit_code: int | None) -> Outcome:
    again = (
        "" if trouble.resets_at is None else f" It asks not to be called before {trouble.resets_at:%Y-%m-%dT%H:%M:%SZ}."
    )
    failure = Failure(trouble.code.value, f"{trouble.message}{again}")
    return Outcome(OutcomeName.FAILED, ExitCode.PROVIDER_FAILED, exit_code, failure)


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
