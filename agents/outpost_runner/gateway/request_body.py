"""Reads the body of a client's request, within bounds."""

import json
import re
from email.message import Message
from http import HTTPStatus
from io import BufferedIOBase

from outpost_runner.gateway.refusals import ClientGone, Refused

LONGEST_CHUNK_LINE_BYTES = 256
LENGTH = r"[0-9]{1,20}"
HEXADECIMAL = b"0123456789abcdefABCDEF"


class RequestBody:
    """The body that the headers announce; raises Refused and ClientGone."""

    def __init__(self, stream: BufferedIOBase, headers: Message, limit_bytes: int) -> None:
        self._stream = stream
        self._headers = headers
        self._limit_bytes = limit_bytes
        # Whether the client sends something, or might, that was not taken.
        self.is_pending = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"

    def read(self) -> bytes:
        if self._headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is compressed; send it as it is.")
        content = self._read_chunks() if self._is_chunked() else self._read_exactly(self._length())
        self.is_pending = False
        return content

    def _is_chunked(self) -> bool:
        encodings = self._headers.get_all("transfer-encoding", [])
        if not encodings:
            return False
        # A body whose end can be read in two ways is how requests are smuggled (RFC 9112, 6.1).
        if [encoding.lower() for encoding in encodings] != ["chunked"] or "content-length" in self._headers:
            raise Refused(HTTPStatus.BAD_REQUEST, "The length of the body is not clear.")
        return True

    def _length(self) -> int:
        lengths = set(self._headers.get_all("content-length", ["0"]))
        length = lengths.pop()
        if lengths or not re.fullmatch(LENGTH, length):
            raise Refused(HTTPStatus.BAD_REQUEST, "The length of the body is not clear.")
        return self._within_limit(int(length))

    def _within_limit(self, length: int) -> int:
        if length > self._limit_bytes:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body has {self._limit_bytes} bytes at most.")
        return length

    def _read_exactly(self, length: int) -> bytes:
        content = self._stream.read(length)
        if len(content) < length:
            raise ClientGone
        return content

    def _read_chunks(self) -> bytes:
        content = bytearray()
        while length := self._read_chunk_length():
            self._within_limit(len(content) + length)
            content += self._read_exactly(length)
            self._read_line()
        while self._read_line().strip():
            continue  # trailers say nothing that is wanted here
        return bytes(content)

    def _read_chunk_length(self) -> int:
        digits = self._read_line().split(b";")[0].strip()
        if not digits or digits.strip(HEXADECIMAL):
            raise Refused(HTTPStatus.BAD_REQUEST, "The length of a chunk is not clear.")
        return int(digits, 16)

    def _read_line(self) -> bytes:
        line = self._stream.readline(LONGEST_CHUNK_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise ClientGone
        return line


def parse_fields(body: bytes) -> dict[str, object]:
    """The body's JSON object. Raises Refused, also when two parsers could read two different models out of it."""
    try:
        fields = json.loads(body.decode(), object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is not JSON, or has a field twice.") from error
    if not isinstance(fields, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is not a JSON object.")
    if len({name.casefold() for name in fields}) < len(fields):
        raise Refused(HTTPStatus.BAD_REQUEST, "The body has a field twice.")
    return fields


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError
    return fields
