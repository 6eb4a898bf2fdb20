"""HTTP to the service and to the store that it sends to."""

import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import httpx

from outpost_cli import __version__
from outpost_cli.answers import Answer, open_envelope
from outpost_cli.api_keys import check_api_key
from outpost_cli.errors import NotFound, ServiceRefusal, UnexpectedAnswer
from outpost_cli.json_fields import JsonObject
from outpost_cli.refusals import describe_loss, describe_refusal, describe_silence, describe_store_refusal
from outpost_cli.retrying import retry, send_once_only

# The service answers a long poll within 20 s and API Gateway cuts at 29 s.
TIMEOUT = httpx.Timeout(35.0, connect=10.0)
EVENT_STREAM = "text/event-stream"
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(url: str) -> bool:
    try:
        return httpx.URL(url).host in LOOPBACK_HOSTS
    except httpx.InvalidURL:
        return False


class Transport:
    """The connections to one service."""

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
        if_lost: str | None = None,
    ) -> Answer:
        """Calls an enveloped route, trying again where that helps.

        A request that must not happen twice comes with `if_lost`: what to do when nobody knows whether it happened.
        """

        def send() -> httpx.Response:
            return self._send_successfully(lambda: self.send_once(method, path, query=query, body=body))

        return open_envelope(retry(send) if if_lost is None else send_once_only(send, if_lost=if_lost))

    def delete(self, path: str) -> Answer | None:
        """Deletes what is there, trying again where that helps.

        None where it is gone when the request is sent again: an earlier one has deleted it, and its answer was lost.
        """
        may_be_gone = False

        def send() -> httpx.Response | None:
            nonlocal may_be_gone
            try:
                return self._send_successfully(lambda: self.send_once("DELETE", path))
            except ServiceRefusal as refusal:
                if may_be_gone and isinstance(refusal, NotFound):
                    return None
                may_be_gone = may_be_gone or not refusal.had_no_effect
                raise

        response = retry(send)
        return None if response is None else open_envelope(response)

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

    @contextmanager
    def stream_events(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """An answer of server-sent events, unread; opening it is tried again where that helps.

        One that is lost while it is read is ConnectionLost.
        """

        response = retry(lambda: self._open_events(path, headers))
        try:
            yield response
        except httpx.RequestError as error:
            raise describe_loss(error, self._client.base_url) from error
        finally:
            response.close()

    def _open_events(self, path: str, headers: Mapping[str, str]) -> httpx.Response:
        request = self._client.build_request("GET", path, headers={"Accept": EVENT_STREAM, **headers})
        try:
            response = self._client.send(request, stream=True)
            if response.is_error:
                response.read()
                raise describe_refusal(response)
        except httpx.RequestError as error:
            raise describe_silence(error, self._client.base_url) from error
        return response

    def fetch_presigned(self, url: str) -> bytes:
        """What lies behind a presigned URL, whole."""

        def attempt() -> bytes:
            with self.stream_presigned(url) as response:
                return response.read()

        return retry(attempt)

    def retry_refused(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Sends until the answer is no error, or an error for the caller; redirects are answers."""
        return retry(lambda: self._send_successfully(send))

    @staticmethod
    def _send_successfully(send: Callable[[], httpx.Response]) -> httpx.Response:
        response = send()
        if response.is_error:
            raise describe_refusal(response)
        return response
