"""Takes over the run: exchanges the bootstrap token for the claim."""

import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from outpost_runner import __version__
from outpost_runner.broker import Broker, BrokerUnreachable
from outpost_runner.claim import Claim, read_claim
from outpost_runner.json_fields import JsonObject, MalformedJson
from outpost_runner.patience import Patience
from outpost_runner.settings import Settings
from outpost_runner.stop import Stop
from outpost_runner.task_metadata import read_task_arn

# The answer to a claim on its way is worth a wait even after a stop: it says who is to tell the end.
ANSWER_SECONDS = 3.0

Claimed = TypeVar("Claimed")


def claim_run(settings: Settings, stop: Stop) -> Claim:
    """Claim the run; raises BrokerError."""
    return claim(settings, stop, "/runner/claim", read_claim)


def claim(settings: Settings, stop: Stop, route: str, read: Callable[[JsonObject], Claimed]) -> Claimed:
    """Claim at the route what `read` makes of the answer; raises BrokerError.

    The claim id is made once per process, so that a claim whose answer was lost can be repeated by this process only.
    """
    body = {
        "claimId": secrets.token_hex(16),
        "taskArn": read_task_arn(settings.metadata_url),
        "runnerVersion": __version__,
    }
    broker = Broker(settings.api_url, settings.bootstrap_token)
    answer = broker.call(route, body, _claim_patience(settings, stop))
    try:
        return read(answer)
    except MalformedJson as error:
        raise BrokerUnreachable(f"The claim cannot be read: {error}") from error


def _claim_patience(settings: Settings, stop: Stop) -> Patience:
    """As long as the settings say, or until somebody asks for the stop."""
    ends_at = time.monotonic() + settings.claim_patience_seconds
    return Patience(lambda: ends_at if stop.requested_at is None else stop.requested_at, ANSWER_SECONDS)
