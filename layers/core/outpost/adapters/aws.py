"""How this product speaks to AWS: time limits, retries, and what a failed call means."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from outpost.domain.errors import Unavailable

# A request has 29 seconds in all: better three short tries than one long one.
CONFIG = Config(
    connect_timeout=2, read_timeout=8, retries={"mode": "standard", "total_max_attempts": 3}, tcp_keepalive=True
)


@contextmanager
def unavailable_if_it_fails() -> Iterator[None]:
    """Turn any failure of AWS that nobody has given a meaning to into Unavailable."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(type(error).__name__ if isinstance(error, BotoCoreError) else error_code(error)) from error


def error_code(error: ClientError) -> str:
    """The code by which AWS names the failure."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def cancellation_reasons(error: ClientError) -> list[dict[str, Any]]:
    """Per write of a cancelled DynamoDB transaction: its code, and the item that its condition met."""
    reasons: Any = error.response.get("CancellationReasons", [])
    return list(reasons)
