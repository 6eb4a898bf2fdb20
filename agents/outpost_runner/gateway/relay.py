"""Passes a provider's answer on as it comes, and reads its usage in passing."""

import json
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Protocol

from outpost_runner.gateway.event_stream import EventStream
from outpost_runner.gateway.protocols import ModelProtocol
from outpost_runner.gateway.refusals import ProviderGone
from outpost_runner.gateway.tally import Tally
from outpost_runner.gateway.upstream import Upstream
from outpost_runner.json_fields import JsonObject, MalformedJson
from outpost_runner.redaction import Redactor

MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_ERROR_BYTES = 1024 * 1024
EVENT_STREAM_TYPE = "text/event-stream"
END_OF_CHAT = b"[DONE]"
# The content encoding that is none.
PLAIN = "identity"
# Bytes and characters are the same here, so that any text can be redacted and none is changed.
TRANSPARENT = "latin-1"


class AnswerReader(Protocol):
    def feed(self, block: bytes) -> None: ...

    def finish(self) -> None: ...


class StreamReader:
    """Reads events one by one."""

    def __init__(self, protocol: ModelProtocol, tally: Tally) -> None:
        self._protocol = protocol
        self._tally = tally
        self._events = EventStream()

    def feed(self, block: bytes) -> None:
        for data in self._events.feed(block):
            self._read(data)

    def finish(self) -> None:
        for data in self._events.finish():
            self._read(data)

    def _read(self, data: bytes) -> None:
        if data == END_OF_CHAT:
            self._tally.is_complete = True
        else:
            _read_json(data, self._protocol, self._tally)


class WholeReader:
    """Keeps the answer, which is read at its end; without its end, its size stands for its text."""

    def __init__(self, protocol: ModelProtocol, tally: Tally) -> None:
        self._protocol = protocol
        self._tally = tally
        self._content = bytearray()

    def feed(self, block: bytes) -> None:
        self._content += block
        self._tally.output_bytes += len(block)

    def finish(self) -> None:
        self._tally.is_complete = True
        _read_json(bytes(self._content), self._protocol, self._tally)


def is_event_stream(content_type: str) -> bool:
    return content_type.startswith(EVENT_STREAM_TYPE)


def require_readable(answer: HTTPResponse) -> None:
    """Raises ProviderGone for an answer that is compressed, in which neither usage nor a key could be found."""
    encodings = answer.headers.get_all("content-encoding", [])
    if any(encoding.strip().lower() != PLAIN for encoding in encodings):
        raise ProviderGone("compressed its answer, though it was asked not to")


class KeyFilter:
    """Keeps the provider's key out of what passes, also where two blocks share it.

    Only bytes with which the key could begin are held back, so that the end of an event never waits.
    """

    def __init__(self, api_key: str) -> None:
        self._redactor = Redactor()
        self._redactor.hide(api_key)
        self._beginnings = [api_key[:length].encode() for length in range(len(api_key) - 1, 0, -1)]
        self._held = b""

    def feed(self, block: bytes) -> bytes:
        content = self.redact(self._held + block)
        self._held = next((part for part in self._beginnings if content.endswith(part)), b"")
        return content.removesuffix(self._held)

    def finish(self) -> bytes:
        """What is held back when nothing follows."""
        held, self._held = self._held, b""
        return held

    def redact(self, content: bytes) -> bytes:
        return self.redact_text(content.decode(TRANSPARENT)).encode(TRANSPARENT)

    def redact_text(self, text: str) -> str:
        return self._redactor.redact(text)


def pass_on(
    upstream: Upstream,
    key_filter: KeyFilter,
    reader: AnswerReader,
    follow: Callable[[], None],
    write: Callable[[bytes], None],
) -> None:
    """Write each block as soon as it is there, counted first: what `follow` stops is not passed on."""
    left = MAX_ANSWER_BYTES
    while block := upstream.read():
        left -= len(block)
        if left < 0:
            raise ProviderGone("answered too much")
        reader.feed(block)
        follow()
        write(key_filter.feed(block))
    reader.finish()
    write(key_filter.finish())


def read_error(upstream: Upstream) -> bytes:
    """The whole body of an error."""
    content = bytearray()
    while block := upstream.read():
        content += block
        if len(content) > MAX_ERROR_BYTES:
            raise ProviderGone("answered too much")
    return bytes(content)


def _read_json(data: bytes, protocol: ModelProtocol, tally: Tally) -> None:
    """Google sends a list when a stream is not asked for as events; what cannot be read states nothing."""
    try:
        content = json.loads(data)
        for event in content if isinstance(content, list) else [content]:
            protocol.read(JsonObject(event, "answer"), tally)
    except (ValueError, RecursionError, MalformedJson):
        return
