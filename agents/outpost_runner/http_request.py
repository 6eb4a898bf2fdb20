"""One HTTP request, over a connection of its own."""

import http.client
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

MAX_ANSWER_BYTES = 8 * 1024 * 1024
BLOCK_BYTES = 256 * 1024


class Readable(Protocol):
    def read(self, length: int = ..., /) -> bytes: ...


class Unreachable(Exception):
    """No answer came: no connection, no time left, or no HTTP."""


@dataclass(frozen=True)
class Answer:
    """`headers` by their names in small letters."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def send(
    method: str, url: str, *, headers: Mapping[str, str], body: bytes | Readable | None, timeout_seconds: float
) -> Answer:
    """Send the request and read the answer; a readable body is streamed, its Content-Length must be among the headers.

    Proxies of the environment are not used: everything that a runner talks to is named in its claim.
    """
    connection = _connect(url, timeout_seconds)
    try:
        connection.request(method, _target(url), body=body, headers=dict(headers))
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, response.read(MAX_ANSWER_BYTES), headers)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def fetch(url: str, take: Callable[[bytes], None], *, timeout_seconds: float) -> int:
    """Get what is there, block by block, when the answer is 200; gives the status. Raises Unreachable."""
    connection = _connect(url, timeout_seconds)
    try:
        connection.request("GET", _target(url))
        response = connection.getresponse()
        while response.status == HTTPStatus.OK and (block := response.read(BLOCK_BYTES)):
            take(block)
        return response.status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def _connect(url: str, timeout_seconds: float) -> http.client.HTTPConnection:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Unreachable(f"The address cannot be read: {error}") from error
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=timeout_seconds, context=context, blocksize=BLOCK_BYTES)
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout_seconds, blocksize=BLOCK_BYTES)
    raise Unreachable(f"The scheme {parts.scheme!r} is not http or https.")


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
