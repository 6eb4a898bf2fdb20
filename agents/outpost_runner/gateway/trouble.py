"""Remembers what is wrong with the provider, so that a run's end can be explained by it."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus

from outpost_runner.gateway.protocols.model_protocol import read_objects
from outpost_runner.json_fields import JsonObject, MalformedJson

REFUSED_STATUSES = (HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN)
# Google answers a wrong key with 400 and this reason, xAI with 400 and this sentence.
WRONG_KEY_PATTERN = re.compile(rb"API_KEY_INVALID|Incorrect API key", re.IGNORECASE)
REFUSED_WORDS = {"authentication_error", "permission_error", "invalid_api_key", "UNAUTHENTICATED", "PERMISSION_DENIED"}
AWAY_WORDS = {
    *("overloaded_error", "api_error", "rate_limit_error", "timeout_error"),
    *("server_error", "server_is_overloaded", "rate_limit_exceeded"),
    *("UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL", "DEADLINE_EXCEEDED"),
}


class TroubleCode(StrEnum):
    PROVIDER_AUTH_FAILED = "PROVIDER_AUTH_FAILED"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"


@dataclass(frozen=True)
class Trouble:
    """`failures` calls in a row ended in trouble, this one the last; `resets_at` is when the provider asks to be asked
    again.
    """

    code: TroubleCode
    message: str
    status: int | None
    resets_at: datetime | None
    failures: int


class Troubles:
    """What stands at the moment; a call that succeeds clears it."""

    def __init__(self, provider_name: str) -> None:
        self._provider_name = provider_name
        self._standing: Trouble | None = None
        self._lock = threading.Lock()

    @property
    def standing(self) -> Trouble | None:
        with self._lock:
            return self._standing

    def clear(self) -> None:
        with self._lock:
            self._standing = None

    def note_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """An error that the provider answered with; one that is the request's own fault is no trouble."""
        what = f"answered {status}"
        if status in REFUSED_STATUSES or (status == HTTPStatus.BAD_REQUEST and WRONG_KEY_PATTERN.search(body)):
            self._note(TroubleCode.PROVIDER_AUTH_FAILED, what, status)
        elif is_passing(status):
            self._note(TroubleCode.PROVIDER_UNAVAILABLE, what, status, read_reset(headers, body))

    def note_failure_in_stream(self, word: str) -> None:
        """An error that came in the middle of an answer that had begun well."""
        if word in REFUSED_WORDS:
            self._note(TroubleCode.PROVIDER_AUTH_FAILED, f"broke its answer off with {word}")
        elif word in AWAY_WORDS:
            self._note(TroubleCode.PROVIDER_UNAVAILABLE, f"broke its answer off with {word}")

    def note_gone(self, what: str) -> None:
        """No answer came, or not to its end."""
        self._note(TroubleCode.PROVIDER_UNAVAILABLE, what)

    def _note(self, code: TroubleCode, what: str, status: int | None = None, resets_at: datetime | None = None) -> None:
        message = f"The provider {self._provider_name} {what}."
        with self._lock:
            before = 0 if self._standing is None else self._standing.failures
            self._standing = Trouble(code, message, status, resets_at, before + 1)


def is_passing(status: int) -> bool:
    """Whether the same call may succeed later: too many of them, or a fault on the provider's side."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def read_reset(headers: Mapping[str, str], body: bytes) -> datetime | None:
    """When to come back: from Retry-After (RFC 9110, 10.2.3), retry-after-ms (OpenAI), or RetryInfo (Google)."""
    now = datetime.now(UTC)
    try:
        if "retry-after-ms" in headers:
            return now + timedelta(milliseconds=float(headers["retry-after-ms"]))
        if "retry-after" in headers:
            return _read_retry_after(headers["retry-after"], now)
        delay = _read_retry_delay(body)
        return None if delay is None else now + timedelta(seconds=delay)
    except (ValueError, OverflowError):
        return None


def _read_retry_after(text: str, now: datetime) -> datetime:
    if re.fullmatch(r"[0-9.]+", text):
        return now + timedelta(seconds=float(text))
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _read_retry_delay(body: bytes) -> float | None:
    """https://cloud.google.com/apis/design/errors#error_details: a duration such as 34.5s."""
    try:
        details = read_objects(JsonObject.parse(body, "answer").object("error"), "details")
        delays = [detail.optional_text("retryDelay") for detail in details]
    except MalformedJson:
        return None
    return next((float(delay.removesuffix("s")) for delay in delays if delay is not None), None)
