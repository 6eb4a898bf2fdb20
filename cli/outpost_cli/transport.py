"""HTTP to the service: the envelope, its errors, and retries that are bounded and have jitter."""

import platform
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
import stamina

from outpost_cli import __version__
from outpost_cli.api_keys import check_api_key
from outpost_cli.errors import ServiceRefusal, ServiceUnavailable, UnexpectedAnswer, refusal_for_status
from outpost_cli.json_fields import JsonObject, JsonValue

ATTEMPTS = 5
RETRY_BUDGET_SECONDS = 60.0
# A longer Retry-After is an answer for a person (a quota resets tomorrow), not a pause.
LONGEST_RETRY_AFTER_SECONDS = 20.0
# The service answers a long poll within 20 s and API Gateway cuts at 29 s.
TIMEOUT = httpx.Timeout(35.0, connect=10.0)
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
REMEDY_WHEN_SILENT = "Try again; `outpost health` tells how the service is."


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer of an enveloped route."""

    data: JsonObject
    meta: JsonObject
    headers: Mapping[str, str]


def is_loopback(url: str) -> bool:
    try:
        return httpx.URL(url).host in LOOPBACK_HOSTS
    except httpx.InvalidURL:
        return False


def describe_refusal(response: httpx.Response) -> ServiceRefusal:
    """The error that an unsuccessful answer tells, in the envelope or (from a gateway in between) without one."""
    try:
        document: JsonValue = response.json()
    except ValueError:
        document = None
    envelope = document if isinstance(document, dict) else {}
    told = envelope.get("error")
    error = told if isinstance(told, dict) else {}
    details = error.get("details")
    return refusal_for_status(response.status_code)(
        str(error.get("message") or envelope.get("message") or f"The service answered {response.status_code}."),
        code=str(error.get("code") or f"HTTP_{response.status_code}"),
        remedy=str(error.get("remedy") or REMEDY_WHEN_SILENT),
        status=response.status_code,
        retryable=error.get("retryable", response.status_code in RETRIED_STATUSES) is True,
        retry_after_seconds=read_retry_after(response),
        details=details if isinstance(details, dict) else None,
        request_id=response.headers.get("X-Request-Id"),
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
    return ServiceUnavailable(
        f"The service at {base_url} cannot be reached: {reason}.",
        code="UNREACHABLE",
        remedy="Check the URL, the network and the proxy settings, then try again.",
        status=None,
        retryable=True,
    )


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


retry = stamina.RetryingCaller(attempts=ATTEMPTS, timeout=RETRY_BUDGET_SECONDS, wait_initial=0.2, wait_max=5.0).on(
    choose_backoff
)


class Transport:
    """The connections to one service. Any request may be repeated, so callers make them idempotent."""

    def __init__(self, url: str, api_key: str | None, *, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"User-Agent": f"outpost-cli/{__version__} python/{platform.python_version()}"}
        if api_key is not None:
            headers["Authorization"] = f"Bearer {check_api_key(api_key)}"
        # A proxy cannot reach our loopback.
        trust_env = not is_loopback(url)
        # Loading the certificates is the slow part of a client, so both share them.
        certificates = httpx.create_ssl_context(trust_env=trust_env)
        # Redirects lead to presigned URLs of another host: they are followed elsewhere, without this client's headers.
        self._client = httpx.Client(
            base_url=url,
            headers=headers,
            timeout=TIMEOUT,
            transport=transport,
            follow_redirects=False,
            trust_env=trust_env,
            verify=certificates,
        )
        # A store that serves a presigned URL refuses a second credential, and it must not see the key.
        self._bare_client = httpx.Client(
            headers={"Accept-Encoding": "identity"},
            timeout=TIMEOUT,
            transport=transport,
            follow_redirects=False,
            trust_env=trust_env,
            verify=certificates,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._bare_client.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]] | None = None,
        body: JsonObject | None = None,
    ) -> Answer:
        """Calls an enveloped route, trying again where that helps."""

        def send() -> httpx.Response:
            return self.send_once(method, path, query=query, body=body)

        return open_envelope(self.retry_refused(send))

    def send_once(
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]] | None = None,
        body: JsonObject | None = None,
        accept: str = "application/json",
    ) -> httpx.Response:
        """Sends one request; any answer is returned, silence is ServiceUnavailable."""
        parameters = httpx.QueryParams([*query]) if query else None
        try:
            return self._client.request(method, path, params=parameters, json=body, headers={"Accept": accept})
        except httpx.RequestError as error:
            raise describe_silence(error, self._client.base_url) from error

    @contextmanager
    def stream_presigned(self, url: str) -> Iterator[httpx.Response]:
        """A store's answer to a presigned URL, unread. The key is not sent along."""
        try:
            with self._bare_client.stream("GET", url) as response:
                if not response.is_success:
                    raise describe_store_refusal(response)
                yield response
        except httpx.RequestError as error:
            raise describe_silence(error, httpx.URL(url).copy_with(query=None)) from error
        except httpx.InvalidURL as error:
            raise UnexpectedAnswer("The service gave a link that is not a URL.") from error

    def fetch_presigned(self, url: str) -> bytes:
        """What lies behind a presigned URL, whole."""

        def attempt() -> bytes:
            with self.stream_presigned(url) as response:
                return response.read()

        return retry(attempt)

    @staticmethod
    def retry_refused(send: Callable[[], httpx.Response]) -> httpx.Response:
        """Sends until the answer is no error, or an error for the caller; redirects are answers."""

        def attempt() -> httpx.Response:
            response = send()
            if response.is_error:
                raise describe_refusal(response)
            return response

        return retry(attempt)


def open_envelope(response: httpx.Response) -> Answer:
    document = read_json_object(response)
    data, meta = document.get("data"), document.get("meta")
    if document.get("success") is not True or not isinstance(data, dict):
        raise UnexpectedAnswer(f"The service answered {response.status_code} without the envelope of Outpost.")
    return Answer(data=data, meta=meta if isinstance(meta, dict) else {}, headers=response.headers)


def read_json_object(response: httpx.Response) -> JsonObject:
    try:
        document: JsonValue = response.json()
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The service answered {response.status_code} with something other than JSON."
        ) from error
    if not isinstance(document, dict):
        raise UnexpectedAnswer(f"The service answered {response.status_code} with JSON that is not an object.")
    return document


def read_location(response: httpx.Response) -> str:
    location = response.headers.get("Location")
    if not location:
        raise UnexpectedAnswer(f"The service answered {response.status_code} without saying where to go.")
    return str(response.url.join(location))
