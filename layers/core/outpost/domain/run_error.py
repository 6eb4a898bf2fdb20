"""Why a run ended badly: the codes, and for each what its owner does next."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class RunErrorCode(StrEnum):
    """Every code that a run's error can carry."""

    AGENT_FAILED = "AGENT_FAILED"
    AGENT_START_FAILED = "AGENT_START_FAILED"
    QUEUE_TIMEOUT = "QUEUE_TIMEOUT"
    RUN_TIMEOUT = "RUN_TIMEOUT"
    START_TIMEOUT = "START_TIMEOUT"
    HEARTBEAT_LOST = "HEARTBEAT_LOST"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    COMPUTE_LOST = "COMPUTE_LOST"
    CLONE_FAILED = "CLONE_FAILED"
    BRANCH_NOT_FOUND = "BRANCH_NOT_FOUND"
    OUTPUT_FAILED = "OUTPUT_FAILED"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    PROVIDER_AUTH_FAILED = "PROVIDER_AUTH_FAILED"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    SECRET_NOT_FOUND = "SECRET_NOT_FOUND"  # noqa: S105 a code
    KILL_SWITCH_ON = "KILL_SWITCH_ON"
    TENANT_SUSPENDED = "TENANT_SUSPENDED"
    CANCELLED_BY_USER = "CANCELLED_BY_USER"


@dataclass(frozen=True)
class _Advice:
    remedy: str
    retryable: bool


_ADVICE = {
    RunErrorCode.AGENT_FAILED: _Advice(
        "Read the run's logs for what the agent ran into, then dispatch again with a task that avoids it.", False
    ),
    RunErrorCode.AGENT_START_FAILED: _Advice(
        "Dispatch again; if it repeats, ask the operator whether the agent's image and network are in place.", True
    ),
    RunErrorCode.RUN_TIMEOUT: _Advice(
        "Take the partial patch if it serves, or dispatch again with a larger timeoutSeconds or a smaller task.", False
    ),
    RunErrorCode.QUEUE_TIMEOUT: _Advice(
        "Dispatch again when fewer of your runs are at work, or with a longer time to wait.", True
    ),
    RunErrorCode.START_TIMEOUT: _Advice(
        "Dispatch again; if it repeats, ask the operator about Fargate capacity and the subnets' way to the internet.",
        True,
    ),
    RunErrorCode.HEARTBEAT_LOST: _Advice("Dispatch again; if it repeats, give the agent less to do at once.", True),
    RunErrorCode.OUT_OF_MEMORY: _Advice(
        "Dispatch again with more memory (`resources.memoryMb`), or with a task that needs less.", False
    ),
    RunErrorCode.COMPUTE_LOST: _Advice("Dispatch again: the machine under the run was lost, not the task.", True),
    RunErrorCode.CLONE_FAILED: _Advice(
        "Check the repository's name and that it can be cloned, then dispatch again.", False
    ),
    RunErrorCode.BRANCH_NOT_FOUND: _Advice("Dispatch again with a branch that the repository has.", False),
    RunErrorCode.OUTPUT_FAILED: _Advice("Dispatch again: the agent worked, and its results could not be stored.", True),
    RunErrorCode.PROVIDER_UNAVAILABLE: _Advice("Dispatch again when the model's provider answers again.", True),
    RunErrorCode.PROVIDER_AUTH_FAILED: _Advice(
        "Ask whoever keeps the provider's key to put a valid one in place, of an account that has credit.", False
    ),
    RunErrorCode.BUDGET_EXCEEDED: _Advice(
        "Take the partial patch if it serves, or dispatch again with a larger budget or a smaller task.", False
    ),
    RunErrorCode.SECRET_NOT_FOUND: _Advice(
        "Put the secret in place (`outpost secrets set`), or ask the operator for the platform's, then dispatch again.",
        False,
    ),
    RunErrorCode.KILL_SWITCH_ON: _Advice(
        "Dispatch again once the kill switch is off: GET /kill-switch shows it.", True
    ),
    RunErrorCode.TENANT_SUSPENDED: _Advice("Ask the operator of this deployment to resume the tenant.", False),
    RunErrorCode.CANCELLED_BY_USER: _Advice("Nothing to mend: take the partial work if there is any.", False),
}

MESSAGE_CHARACTERS = 1_000
# What AWS says of a failure names the deployment's inside, which is not for callers.
_INSIDE = re.compile(r"arn:[\w-]+:[^\s\]\"',)]+|\b\d{12}\.dkr\.ecr\.[^\s\]\"',)]+|\b\d{12}\b")


@dataclass(frozen=True)
class RunError:
    """What a run that ended badly says of itself."""

    code: RunErrorCode
    message: str
    remedy: str
    retryable: bool

    @classmethod
    def of(cls, code: RunErrorCode, message: str) -> Self:
        """The error of a code, with its remedy; the message is cut to 1,000 characters."""
        advice = _ADVICE[code]
        return cls(code, message[:MESSAGE_CHARACTERS], advice.remedy, advice.retryable)


def without_identifiers(text: str) -> str:
    """What AWS said, without ARNs, registries and account ids."""
    return _INSIDE.sub("[…]", text)


def code_of_report(text: str) -> RunErrorCode:
    """The code that a runner reported; one that this release does not know is the agent's failure."""
    return RunErrorCode(text) if text in list(RunErrorCode) else RunErrorCode.AGENT_FAILED
