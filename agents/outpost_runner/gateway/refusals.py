"""Why a call is not made, or does not come to its end.

Refused               the gateway answers by itself, in the protocol's own shape of an error
└── BudgetExceeded    the run has used up what it may use
Interrupted           the call ends without an answer, or in the middle of one
├── ClientGone        the agent's side left, or the gateway is being stopped
└── ProviderGone      the provider's side did not answer, or not to the end
"""

from http import HTTPStatus


class Refused(Exception):
    """The message is for the agent's side: it holds nothing of the request but names."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class BudgetExceeded(Refused):
    """Answered with 402: no command line goes on for long after that, while Claude Code repeats what 400 refused."""

    def __init__(self, limit: str) -> None:
        super().__init__(
            HTTPStatus.PAYMENT_REQUIRED,
            f"BUDGET_EXCEEDED: this run's budget of {limit} is used up; no further model call will be made.",
        )


class Interrupted(Exception):
    """The connection to the client ends here, visibly unfinished when an answer had begun."""


class ClientGone(Interrupted):
    """Nobody is there to hear the answer."""


class ProviderGone(Interrupted):
    """`status` is what to answer while nothing was answered yet: 502, or 504 after a wait that was too long."""

    def __init__(self, what: str, status: int = HTTPStatus.BAD_GATEWAY) -> None:
        super().__init__(what)
        self.what = what
        self.status = status
