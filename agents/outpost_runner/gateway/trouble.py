"""Remembers what is wrong with the provider, so that a run's end can be explained by it."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus

from outpost_runner.gateway.protocols.anthropic_messages import BILLING_ERROR, name_failure
from outpost_runner.gateway.protocols.model_protocol import read_objects
from outpost_runner.json_fields import JsonObject, MalformedJson

REFUSED_STATUSES = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
# Google answers a wrong key with 400 and this reason, xAI with 400 and a sentence that begins so.
WRONG_KEY_REASON = "API_KEY_INVALID"
WRONG_KEY_BEGINNING = "Incorrect API key"
# OpenAI and Anthropic say so of an account that cannot pay; the former answers with 429 then.
USED_UP_WORDS = {"insufficient_quota", "billing_not_active", BILLING_ERROR}
REFUSED_WORDS = {
    *("authentication_error", "permission_error", "invalid_api_key", "UNAUTHENTICATED", "PERMISSION_DENIED"),
    *USED_UP_WORDS,
}
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
        self._has_succeeded = False
        self._lock = threading.Lock()

    @property
    def standing(self) -> Trouble | None:
        with self._lock:
            return self._standing

    def clear(self) -> None:
        with self._lock:
            self._standing = None
            self._has_succeeded = True

    def note_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """An error that the provider answered with; one that is the request's own fault is no trouble.

        A key with which a call succeeded is good: what is forbidden after that is what the agent asked for.
        """
        what = f"answered {status}"
        if status == HTTPStatus.FORBIDDEN and self._has_succeeded:
            return
        if status == HTTPStatus.PAYMENT_REQUIRED or tells_of_used_up_account(status, body):
            self._note(TroubleCode.PROVIDER_AUTH_FAILED, f"{what}: its account is used up", status)
        elif status in REFUSED_STATUSES or (status == HTTPStatus.BAD_REQUEST and tells_of_wrong_key(body)):
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


def tells_of_wrong_key(body: bytes) -> bool:
    """Only where a provider has its own words: elsewhere an error repeats the request's, which the agent chose."""
    try:
        return JsonObject.parse(body, "answer").text("error").startswith(WRONG_KEY_BEGINNING)
    except MalformedJson:
        return WRONG_KEY_REASON in _read_details(body, "reason")


def tells_of_used_up_account(status: int, body: bytes) -> bool:
    """OpenAI has words for it, Anthropic a sentence; no other status says of itself whose fault it is."""
    if status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS):
        return False
    try:
        error = JsonObject.parse(body, "answer").object("error")
        words = {error.optional_text("code"), error.optional_text("type"), name_failure(error)}
    except MalformedJson:
        return False
    return not words.isdisjoint(USED_UP_WORDS)


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
    """A duration such as 34.5s."""
    return next((float(delay.removesuffix("s")) for delay in _read_details(body, "retryDelay")), None)


def _read_details(body: bytes, name: str) -> list[str]:
    """What the details of Google's errors say: https://cloud.google.com/apis/design/errors#error_details."""
    try:
        details = read_objects(JsonObject.parse(body, "answer").object("error"), "details")
        texts = [detail.optional_text(name) for detail in details]
    except MalformedJson:
        return []
    return [text for text in texts if text is not None]
