"""Where words go: results to stdout, everything else to stderr; colour only in a terminal."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console, RenderableType
from rich.status import Status
from rich.text import Text

from outpost_cli.errors import OutpostError, ServiceFailed
from outpost_cli.json_fields import JsonValue
from outpost_cli.models.run import RunStatus

Seen = TypeVar("Seen")

# In a pipe there is no width to fit: a cell that is cut is a cell that grep cannot find.
PIPE_WIDTH = 4000
STATUS_STYLES = {
    RunStatus.QUEUED: "blue",
    RunStatus.PENDING: "blue",
    RunStatus.RUNNING: "cyan",
    RunStatus.CANCELLING: "yellow",
    RunStatus.COMPLETED: "green",
    RunStatus.FAILED: "red",
    RunStatus.TIMEOUT: "red",
    RunStatus.CANCELLED: "magenta",
}
# What an agent prints is not trusted: escape sequences could rewrite the screen or the clipboard of whoever reads it.
ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")
CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def make_safe(text: str) -> str:
    """Text without terminal control; tabs and line ends stay."""
    return CONTROL_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n")))


def style_status(status: RunStatus) -> Text:
    return Text(status, style=STATUS_STYLES[status])


def make_console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console = Console(stderr=stderr, highlight=False, emoji=False, markup=False, width=PIPE_WIDTH)
    return console


def print_part(console: Console, part: RenderableType) -> None:
    """Prints text as it is, and a table without the blanks that fill its lines, where these would reach a program."""
    if isinstance(part, (str, Text)) or console.is_terminal:
        console.print(part, soft_wrap=isinstance(part, (str, Text)))
        return
    with console.capture() as capture:
        console.print(part)
    for line in capture.get().removesuffix("\n").split("\n"):
        console.print(line.rstrip(), soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Output:
    """The two streams of one command. With `as_json`, stdout gets exactly one JSON document."""

    as_json: bool
    stdout: Console
    stderr: Console

    @classmethod
    def open(cls, *, as_json: bool) -> "Output":
        return cls(as_json=as_json, stdout=make_console(stderr=False), stderr=make_console(stderr=True))

    def show_result(self, document: JsonValue, *readable: RenderableType) -> None:
        """The result: the document for programs, or what follows it for people."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, indent=2) + "\n")
            return
        for part in readable:
            print_part(self.stdout, part)

    def say(self, message: str | Text) -> None:
        """A message beside the result."""
        self.stderr.print(message, soft_wrap=True)

    def show_error(self, error: OutpostError) -> None:
        if self.as_json:
            sys.stderr.write(json.dumps(error.to_document()) + "\n")
            return
        self.say(Text.assemble(("Error ", "bold red"), (error.code, "bold"), ": ", make_safe(error.message)))
        for field_error in error.field_errors:
            self.say(Text.assemble("  ", (make_safe(field_error.path), "bold"), ": ", make_safe(field_error.message)))
        for name, value in error.facts:
            self.say(Text.assemble("  ", (make_safe(name), "bold"), ": ", make_safe(value)))
        self.say(Text.assemble(("What to do: ", "dim"), make_safe(error.remedy)))
        if isinstance(error, ServiceFailed) and error.request_id is not None:
            self.say(Text.assemble(("Request id: ", "dim"), make_safe(error.request_id)))

    @contextmanager
    def show_activity(self) -> Iterator["Activity"]:
        """Says what goes on, until the block ends."""
        if not self.stderr.is_terminal:
            yield Activity(output=self, spinner=None)
            return
        with self.stderr.status("") as spinner:
            yield Activity(output=self, spinner=spinner)


@dataclass(frozen=True, slots=True)
class Activity:
    """One line about what goes on now: beside a spinner in a terminal, a line for each change in a pipe."""

    output: Output
    spinner: Status | None

    def tell(self, message: Text) -> None:
        if self.spinner is None:
            self.output.say(message)
        else:
            self.spinner.update(message)

    def tell_changes(self, make_line: Callable[[Seen], Text]) -> Callable[[Seen], None]:
        """Something that tells what is seen, each time that its line is another one."""
        told: list[Text] = []

        def tell(seen: Seen) -> None:
            line = make_line(seen)
            if line not in told[-1:]:
                told.append(line)
                self.tell(line)

        return tell
