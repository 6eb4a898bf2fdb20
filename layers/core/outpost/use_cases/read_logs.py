"""Reads a run's output, and waits a while for more of it where the caller asks."""

from dataclasses import dataclass

from outpost.domain.errors import RunNotFound
from outpost.ports import AgentLogs, Clock, LogLine, LogPage, Runs

POLL_SECONDS = 0.5


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
    polls = int(wait_seconds / POLL_SECONDS)
    while True:
        run = runs.get(tenant_id, run_id)
        if run is None:
            raise RunNotFound(run_id)
        page = LogPage((), token)
        if run.task_arn is not None:
            page = agent_logs.page(run.agent, run.task_arn, token=token, limit=limit)
        if page.lines or run.status.is_terminal or polls <= 0:
            return RunLogs(page.lines, page.next_token, bool(page.lines) or not run.status.is_terminal)
        polls -= 1
        clock.sleep(POLL_SECONDS)
