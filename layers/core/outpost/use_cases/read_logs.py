"""Reads a run's output, and waits a while for more of it where the caller asks."""

from dataclasses import dataclass
from datetime import timedelta

from outpost.domain.errors import RunNotFound
from outpost.ports import AgentLogs, Clock, LogLine, LogPage, Runs

# GetLogEvents has a small quota for the whole account.
POLL = timedelta(seconds=1)
# The log driver delivers its last lines a little after the container's end.
DELIVERY = timedelta(seconds=5)


@dataclass(frozen=True)
class RunLogs:
    """Lines, where the next call goes on, and whether more may come."""

    lines: tuple[LogLine, ...]
    next_token: str | None
    has_more: bool


def read_logs(
    tenant_id: str,
    run_id: str,
    *,
    token: str | None,
    limit: int,
    wait_seconds: int,
    runs: Runs,
    agent_logs: AgentLogs,
    clock: Clock,
) -> RunLogs:
    """Lines after the token, waited for up to `wait_seconds` while the run lives. Raises RunNotFound."""
    gives_up_at = clock.now() + timedelta(seconds=wait_seconds)
    while True:
        run = runs.get(tenant_id, run_id)
        if run is None:
            raise RunNotFound(run_id)
        page = LogPage((), token, is_end=True)
        if run.task_arn is not None:
            page = agent_logs.page(run.agent, run.task_arn, token=token, limit=limit)
        now = clock.now()
        may_grow = run.ended_at is None or now < run.ended_at + DELIVERY
        if page.lines or not may_grow or now + POLL > gives_up_at:
            return RunLogs(page.lines, page.next_token, has_more=may_grow or not page.is_end)
        token = page.next_token
        clock.sleep(POLL.total_seconds())
