"""The live view of a run: what is known of it now, drawn anew several times a second."""

from collections import deque
from datetime import datetime, timedelta
from threading import Lock

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.text import Text

from outpost_cli.amounts import format_cost
from outpost_cli.durations import format_duration
from outpost_cli.models.event import LogLines, Progress, StatusChange, StreamMessage
from outpost_cli.models.page import LogLine
from outpost_cli.models.run import TERMINAL_STATUSES, Run
from outpost_cli.models.usage import RunUsage
from outpost_cli.output import make_safe, style_status
from outpost_cli.views import STREAM_STYLES, format_check, format_start, now_utc, render_facts

MOST_LINES = 20
FEWEST_LINES = 3
# The facts, the blank lines, and the line of the shell below.
OTHER_LINES = 12


class LiveBoard:
    """Hears the stream and looks at the run, from two threads, and is drawn from a third."""

    def __init__(self, run: Run) -> None:
        self._lock = Lock()
        self._run = run
        self._status = run.status
        self._phase = run.phase
        self._message = run.progress.message if run.progress else None
        self._attempt = run.attempt
        self._note: str | None = None
        self._lines: deque[LogLine] = deque(maxlen=MOST_LINES)

    def look(self, run: Run) -> None:
        """Takes what the run itself tells: tokens and cost above all."""
        with self._lock:
            self._run = run
            self._status = run.status
            self._attempt = run.attempt
            if run.progress is not None:
                self._phase, self._message = run.progress.phase, run.progress.message

    def hear(self, message: StreamMessage) -> None:
        """Takes what the stream tells, which is ahead of the run."""
        with self._lock:
            match message:
                case StatusChange(status=status, attempt=attempt):
                    self._status, self._attempt = status, attempt
                case Progress(phase=phase, message=told, attempt=attempt):
                    self._phase, self._message, self._attempt = phase or self._phase, told, attempt
                case LogLines(lines=lines):
                    self._lines.extend(lines)

    def note(self, text: str) -> None:
        """Something about the watching itself."""
        with self._lock:
            self._note = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with self._lock:
            yield self._draw(height=options.height or console.height, now=now_utc())

    def _draw(self, *, height: int, now: datetime) -> Group:
        run = self._run
        facts = render_facts(
            {
                "Run": Text(make_safe(run.run_id)),
                "Agent": " ".join(filter(None, [run.agent, run.model_id])),
                "Status": format_start(run) if run.queue_position else style_status(self._status),
                "Phase": self._format_phase(),
                "Attempt": None if self._attempt is None else str(self._attempt),
                "Time": format_time(run, now=now),
                "Tokens": format_tokens(run.usage),
                "Cost": format_cost(run.usage),
                "Check": format_check(run.check),
                "Note": self._note,
            }
        )
        shown = max(FEWEST_LINES, min(MOST_LINES, height - OTHER_LINES))
        lines = [make_line(line) for line in [*self._lines][-shown:]]
        return Group(facts, *([Text(), *lines] if lines else []))

    def _format_phase(self) -> str | None:
        """Where the run is; one that has ended is nowhere."""
        if self._status in TERMINAL_STATUSES:
            return None
        return ": ".join(filter(None, [self._phase, self._message]))


def make_line(line: LogLine) -> Text:
    """One line of output on one line of the terminal."""
    text = " ".join(make_safe(line.message).split("\n")).expandtabs()
    return Text(text, style=STREAM_STYLES.get(line.stream, ""), no_wrap=True, overflow="ellipsis")


def format_time(run: Run, *, now: datetime) -> str | None:
    """`2m 5s of 10m`; None before the run has begun."""
    if run.started_at is None:
        return None
    elapsed = format_duration((run.ended_at or now) - run.started_at)
    if run.timeout_seconds is None:
        return elapsed
    return f"{elapsed} of {format_duration(timedelta(seconds=run.timeout_seconds))}"


def format_tokens(usage: RunUsage | None) -> str | None:
    """What went in, with what came out of a cache, and what came out."""
    if usage is None or not usage.model_calls:
        return None
    sent = usage.input_tokens + usage.cached_input_tokens + usage.cache_write_tokens
    return f"{sent:,} in, {usage.output_tokens:,} out"
