"""The agent's side: calls a gateway as a command line does."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from outpost_runner.gateway.model_gateway import ModelGateway

from .dialects import Dialect

TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    is_whole: bool

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.body)


class Caller:
    """One client connection, to a gateway or to a provider itself."""

    def __init__(self, url: str, key: str) -> None:
        self._key = key
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=TIMEOUT_SECONDS)

    def ask(self, dialect: Dialect, *, stream: bool, **fields: Any) -> Answer:
        """A call as the dialect's clients make it, with the dummy key."""
        body = json.dumps(dialect.request(stream=stream, **fields))
        return self.send("POST", dialect.path_for(stream=stream), body)

    def send(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        """Any call; the dummy key is added when no header is given. Underscores in names stand for hyphens."""
        return _read(self.open(method, target, body, **headers))

    def open(self, method: str, target: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
        """As `send`, with the body still to be read."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, target, body, {"content-type": "application/json", **(given or self.key())})
        return self._connection.getresponse()

    def key(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}"}

    def begin(self, dialect: Dialect, *, stream: bool) -> None:
        """Send a call and wait for nothing."""
        body = json.dumps(dialect.request(stream=stream))
        headers = {"content-type": "application/json", **self.key()}
        self._connection.request("POST", dialect.path_for(stream=stream), body, headers)

    def add(self, content: bytes) -> None:
        """Send more than a call."""
        self._connection.sock.sendall(content)

    def close(self) -> None:
        self._connection.close()


def blocks(response: http.client.HTTPResponse) -> Iterator[tuple[float, bytes]]:
    """Each part of an answer with the moment of its arrival."""
    while block := response.read1(65536):
        yield time.monotonic(), block


def exchange_bytes(gateway: ModelGateway, content: bytes) -> bytes:
    """What comes back, to the connection's end, for bytes that no client library would send."""
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(content)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def request_bytes(
    gateway: ModelGateway, *lines: str, target: str = "/v1/messages", version: str = "HTTP/1.1", body: str = ""
) -> bytes:
    head = [f"POST {target} {version}", "host: x", f"x-api-key: {gateway.dummy_key}", *lines, "", ""]
    return "\r\n".join(head).encode() + body.encode()


def _read(response: http.client.HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    try:
        return Answer(response.status, headers, response.read(), is_whole=True)
    except http.client.IncompleteRead as cut:
        return Answer(response.status, headers, cut.partial, is_whole=False)
    except ConnectionError:
        return Answer(response.status, headers, b"", is_whole=False)
