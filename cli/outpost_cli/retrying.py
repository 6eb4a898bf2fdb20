"""Trying again where that helps: bounded, with jitter, and after the pause that the service asks for."""

import secrets
from collections.abc import Callable
from typing import TypeVar

import stamina

from outpost_cli.errors import Interrupted, ServiceRefusal

Answer = TypeVar("Answer")

ATTEMPTS = 5
RETRY_BUDGET_SECONDS = 60.0
# A longer Retry-After is an answer for a person (a quota resets tomorrow), not a pause.
LONGEST_RETRY_AFTER_SECONDS = 20.0
RETRIED_STATUSES = frozenset({429, 502, 503, 504})


def choose_backoff(error: Exception) -> bool | float:
    """Whether to try again, and after how many seconds when the service asks for a pause."""
    if not isinstance(error, ServiceRefusal) or not error.retryable:
        return False
    if error.status is not None and error.status not in RETRIED_STATUSES:
        return False
    pause = error.retry_after_seconds
    if pause is None:
        return True
    # Everybody who was refused in the same second must not come back in the same second.
    return pause <= LONGEST_RETRY_AFTER_SECONDS and pause + secrets.SystemRandom().uniform(0.0, 1.0)


def choose_backoff_once_only(error: Exception) -> bool | float:
    """The same for what must not happen twice: only where it surely has not happened."""
    return isinstance(error, ServiceRefusal) and error.had_no_effect and choose_backoff(error)


caller = stamina.RetryingCaller(attempts=ATTEMPTS, timeout=RETRY_BUDGET_SECONDS, wait_initial=0.2, wait_max=5.0)
retry = caller.on(choose_backoff)
retry_once_only = caller.on(choose_backoff_once_only)


def send_once_only(send: Callable[[], Answer], *, if_lost: str) -> Answer:
    """The answer to what must not happen twice. Where nobody knows whether it happened, `if_lost` is the remedy."""
    try:
        return retry_once_only(send)
    except ServiceRefusal as error:
        if not error.had_no_effect:
            error.remedy = if_lost
        raise
    except KeyboardInterrupt as error:
        raise Interrupted("Interrupted before the answer came.", remedy=if_lost) from error
