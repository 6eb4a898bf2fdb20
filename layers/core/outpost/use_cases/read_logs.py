"""Reads a run's output, attempt by attempt, and waits a while for more of it where the caller asks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from outpost.domain.run import Run
from outpost.ports import AgentLogs, Clock, LogLine, LogPage, Runs
from outpost.use_cases.find_results import require_run

# GetLogEvents has a small quota for the whole account.
POLL = timedelta(seconds=1)
# The log driver delivers its last lines a little after the container's end.
DELIVERY = timedelta(seconds=5)


@dataclass(frozen=True)
class LogPosition:
    """A place in a run's output: a token within the log of an attempt, or None for its beginning."""

    attempt: int = 1
    token: str | None = None


@dataclass(frozen=True)
class RunLogs:
    """Lines of one attempt, the place behind them, and whether more may come."""

    lines: tuple[LogLine, ...]
    attempt: int
    position: LogPosition
    has_more: bool


def read_logs(
    tenant_id: str,
    run_id: str,
    *,
    position: LogPosition,
    limit: int,
    wait_seconds: int,
    runs: Runs,
    agent_logs: AgentLogs,
    clock: Clock,
) -> RunLogs:
    """Lines after the position, waited for up to `wait_seconds` while the run lives.

    Raises RunNotFound, and CursorInvalid for a token that has expired.
    """
    gives_up_at = clock.now() + timedelta(seconds=wait_seconds)
    while True:
        run = require_run(tenant_id, run_id, runs=runs)
        found = read_lines(run, position, limit=limit, agent_logs=agent_logs, now=clock.now())
        if found.lines or not found.has_more or clock.now() + POLL > gives_up_at:
            return found
        position = found.position
        clock.sleep(POLL.total_seconds())


def read_lines(run: Run, position: LogPosition, *, limit: int, agent_logs: AgentLogs, now: datetime) -> RunLogs:
    """What is there after the position now: a lost attempt's lines to their end, then the next one's."""
    while True:
        attempt = position.attempt
        page = _page(run, position, limit, agent_logs)
        is_last = attempt >= run.attempt
        may_grow = not page.is_end or _may_grow(run, attempt, now)
        if page.lines or is_last or may_grow:
            here = LogPosition(attempt, page.next_token)
            return RunLogs(page.lines, attempt, here, has_more=may_grow or not is_last)
        position = LogPosition(attempt + 1)


def _page(run: Run, position: LogPosition, limit: int, agent_logs: AgentLogs) -> LogPage:
    task_arn = run.task_of(position.attempt)
    if task_arn is None:
        return LogPage((), position.token, is_end=True)
    return agent_logs.page(run.agent, task_arn, token=position.token, limit=limit)


def _may_grow(run: Run, attempt: int, now: datetime) -> bool:
    ended_at = next((lost.ended_at for lost in run.lost_attempts if lost.attempt == attempt), run.ended_at)
    if ended_at is None:
        return True
    return run.task_of(attempt) is not None and now < ended_at + DELIVERY
