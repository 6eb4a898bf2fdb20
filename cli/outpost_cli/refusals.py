"""The errors that an unsuccessful answer tells, and those of a service that did not answer."""

import httpx

from outpost_cli.errors import (
    NO_ANSWER,
    UNREACHABLE,
    ConnectionLost,
    ServiceRefusal,
    ServiceUnavailable,
    refusal_for_status,
)
from outpost_cli.json_fields import JsonObject, JsonValue
from outpost_cli.retrying import RETRIED_STATUSES

REMEDY_WHEN_SILENT = "Try again; `outpost health` tells how the service is."


def describe_refusal(response: httpx.Response) -> ServiceRefusal:
    """The error that an unsuccessful answer tells, in the envelope or (from a gateway in between) without one."""
    try:
        document: JsonValue = response.json()
    except ValueError:
        document = None
    envelope = document if isinstance(document, dict) else {}
    told = envelope.get("error")
    error = told if isinstance(told, dict) else {}
    silent = str(envelope.get("message") or f"The service answered {response.status_code}.")
    return read_refusal(
        error,
        status=response.status_code,
        default_message=silent,
        retry_after_seconds=read_retry_after(response),
        request_id=response.headers.get("X-Request-Id"),
    )


def read_refusal(
    error: JsonObject,
    *,
    status: int,
    default_message: str,
    retry_after_seconds: float | None = None,
    request_id: str | None = None,
) -> ServiceRefusal:
    """The error of the contract's error object; `status` says what sort of error it is."""
    details = error.get("details")
    return refusal_for_status(status)(
        str(error.get("message") or default_message),
        code=str(error.get("code") or f"HTTP_{status}"),
        remedy=str(error.get("remedy") or REMEDY_WHEN_SILENT),
        status=status,
        retryable=error.get("retryable", status in RETRIED_STATUSES) is True,
        retry_after_seconds=retry_after_seconds,
        details=details if isinstance(details, dict) else None,
        request_id=request_id,
    )


def read_retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None


def describe_store_refusal(response: httpx.Response) -> ServiceRefusal:
    """The error of an object store, whose own text is XML about its inside."""
    return refusal_for_status(response.status_code)(
        f"The store at {response.url.host} answered {response.status_code}.",
        code=f"HTTP_{response.status_code}",
        remedy="Run the command again: links to stored files expire.",
        status=response.status_code,
        retryable=response.status_code in RETRIED_STATUSES,
    )


def describe_silence(error: httpx.RequestError, base_url: httpx.URL | str) -> ServiceUnavailable:
    """The error of a service that gave no answer at all."""
    reason = str(error) or type(error).__name__
    was_sent = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
    return ServiceUnavailable(
        f"The service at {base_url} {'did not answer' if was_sent else 'cannot be reached'}: {reason}.",
        code=NO_ANSWER if was_sent else UNREACHABLE,
        remedy="Check the URL, the network and the proxy settings, then try again.",
        status=None,
        retryable=True,
    )


def describe_loss(error: httpx.RequestError, base_url: httpx.URL | str) -> ConnectionLost:
    """The error of an answer that broke off while it was read."""
    return ConnectionLost(
        f"The connection to the service at {base_url} was lost: {str(error) or type(error).__name__}.",
        code=NO_ANSWER,
        remedy="Check the network and the proxy settings, then try again.",
        status=None,
        retryable=True,
    )
