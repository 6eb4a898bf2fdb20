"""Output that is one JSON event a line: what a person reads of it, and what it says of the agent's end."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from outpost_runner.agents.adapter import Account
from outpost_runner.agents.speech import Speech
from outpost_runner.agents.wording import MAX_TROUBLE_CHARACTERS, one_line, tell_subject, word_tool, word_trouble
from outpost_runner.json_fields import JsonObject, MalformedJson
from outpost_runner.redaction import Redactor

MAX_EVENT_CHARACTERS = 1024 * 1024
NO_RESULT = "It ended without a result."
LEFT_OUT = f"An event of over {MAX_EVENT_CHARACTERS} characters is left out here."


class JsonOutput(ABC):
    """Events come on stdout. A line that is no event, or not such a one as the agent writes, is shown as it is.

    What an event says is redacted once more before it is cut, for its JSON may have hidden a secret.
    """

    longest_line = MAX_EVENT_CHARACTERS

    def __init__(self, redactor: Redactor) -> None:
        self.speech = Speech(redactor)
        self.trouble: str | None = None
        self._redact = redactor.redact
        self._finished = False
        self._last_words: str | None = None
        self._in_long_event = False

    @abstractmethod
    def read_event(self, kind: str, event: JsonObject) -> Iterator[str]:
        """What the log shows for an event of the type `kind`; raises MalformedJson for one that it does not know."""

    def read(self, stream: str, line: str) -> Sequence[str]:
        return list(self._read_stdout(line) if stream == "stdout" else self.read_plain(line))

    def read_plain(self, line: str) -> Iterator[str]:
        """What the log shows for a line that is no event."""
        self._last_words = one_line(line, MAX_TROUBLE_CHARACTERS) or self._last_words
        yield line

    def finish(self) -> Sequence[str]:
        """What is left to show once no line follows."""
        return list(self.speech.end_message())

    def account(self) -> Account:
        if self._finished:
            return Account(self.speech.summary)
        last_words = f"{NO_RESULT} Its last line was: {self._last_words}" if self._last_words else NO_RESULT
        return Account(self.speech.summary, self.trouble or last_words)

    def say(self, text: str) -> Iterator[str]:
        """A piece of the agent's message."""
        self.trouble = None
        yield from self.speech.add(text)

    def use_tool(self, name: str, subject: JsonObject | str | None) -> Iterator[str]:
        """`subject` is what the tool is used on, or the input that tells it."""
        self.trouble = None
        yield from self.speech.end_message()
        about = subject if isinstance(subject, str) else tell_subject(subject)
        yield word_tool(self._redact(name), self._redact(about))

    def warn(self, message: str) -> Iterator[str]:
        """Something went wrong that the agent deals with."""
        yield from self.speech.end_message()
        yield word_trouble(self._redact(message))

    def stumble(self, message: str) -> Iterator[str]:
        """Something went wrong that may pass; if nothing follows, it is why the agent did not finish."""
        trouble = one_line(self._redact(message), MAX_TROUBLE_CHARACTERS)
        if trouble != self.trouble:
            yield from self.warn(message)
        self.trouble = trouble or None

    def succeed(self) -> Iterator[str]:
        self._finished = True
        yield from self.speech.end_message()

    def fail(self, message: str) -> Iterator[str]:
        self._finished = False
        yield from self.stumble(message)

    def _read_stdout(self, line: str) -> Iterator[str]:
        """A line of the full length is a piece of a longer one, unless it makes sense by itself."""
        event, is_piece = _parse(line), len(line) >= self.longest_line
        was_in_long_event, self._in_long_event = self._in_long_event, False
        if event is not None:
            yield from self._read_known(event, line)
        elif was_in_long_event:
            self._in_long_event = is_piece
        elif is_piece and line.startswith("{"):
            self._in_long_event = True
            yield LEFT_OUT
        else:
            yield from self.read_plain(line)

    def _read_known(self, event: JsonObject, line: str) -> Iterator[str]:
        try:
            yield from self.read_event(event.text("type"), event)
        except MalformedJson:
            yield line


def _parse(line: str) -> JsonObject | None:
    if not line.startswith("{"):
        return None
    try:
        return JsonObject(json.loads(line), "the event")
    except (ValueError, RecursionError):
        return None
