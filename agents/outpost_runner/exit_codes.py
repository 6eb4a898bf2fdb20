"""The exit codes of the runner, one per outcome, so that a stopped task says by itself what happened."""

from enum import IntEnum


class ExitCode(IntEnum):
    SUCCEEDED = 0
    AGENT_FAILED = 10
    TIMED_OUT = 11
    NOT_PREPARED = 12
    NOT_DELIVERED = 13
    BUDGET_USED = 14
    PROVIDER_FAILED = 15
    CLAIM_REFUSED = 20
    BROKER_UNREACHABLE = 21
    STOPPED = 143
