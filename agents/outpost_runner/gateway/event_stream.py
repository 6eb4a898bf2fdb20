"""Takes the data out of a stream of server-sent events, whatever blocks it comes in.

The format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from collections.abc import Iterator

LONGEST_LINE_BYTES = 16 * 1024 * 1024


class EventStream:
    """Lines end with LF or CRLF, as every provider ends them; a line that is too long is left out."""

    def __init__(self, longest_line_bytes: int = LONGEST_LINE_BYTES) -> None:
        self._longest_line_bytes = longest_line_bytes
        self._line = bytearray()
        self._line_is_too_long = False
        self._data: list[bytes] = []

    def feed(self, block: bytes) -> Iterator[bytes]:
        """The data of each event that the block completes."""
        *ends, rest = block.split(b"\n")
        for end in ends:
            self._extend(end)
            yield from self._end_line()
        self._extend(rest)

    def finish(self) -> Iterator[bytes]:
        """The data of an event that the stream's end cut off from its empty line."""
        yield from self._end_line()
        yield from self._end_event()

    def _extend(self, part: bytes) -> None:
        if len(self._line) + len(part) > self._longest_line_bytes:
            self._line_is_too_long = True
            self._line.clear()
        if not self._line_is_too_long:
            self._line += part

    def _end_line(self) -> Iterator[bytes]:
        line, is_too_long = bytes(self._line).removesuffix(b"\r"), self._line_is_too_long
        self._line.clear()
        self._line_is_too_long = False
        if line.startswith(b"data:"):
            self._data.append(line[len(b"data:") :].removeprefix(b" "))
        elif not line and not is_too_long:
            yield from self._end_event()

    def _end_event(self) -> Iterator[bytes]:
        if self._data:
            yield b"\n".join(self._data)
            self._data.clear()
