"""Lists with cursors: runs, keys and log lines."""

from outpost.api.account_bodies import KeysQuery
from outpost.api.account_views import key_view
from outpost.api.application import Pagination, Reply
from outpost.api.bodies import LogsQuery, RunsQuery
from outpost.api.cursor import make_cursor, read_cursor
from outpost.api.views import lines_view, run_view
from outpost.domain.api_key import Caller
from outpost.ports import RunFilter
from outpost.use_cases.read_logs import read_logs
from outpost.wiring import Wiring


def list_runs(caller: Caller, query: RunsQuery, wiring: Wiring) -> Reply:
    """A page of runs, newest first. Raises CursorInvalid."""
    listed = {"list": "runs", **query.model_dump(mode="json", exclude={"cursor", "limit"})}
    before = None
    if query.cursor is not None:
        before = read_cursor(wiring.signing_key.value(), caller.tenant_id, listed, query.cursor, wiring.clock.now())
    wanted = RunFilter(
        status=query.status,
        agent=query.agent,
        repo=query.repo,
        tags=dict(tag.split(":", 1) for tag in query.tag),
        since=query.since,
        until=query.until,
    )
    page = wiring.runs.page(caller.tenant_id, wanted, before_run_id=before, limit=query.limit)
    cursor = None
    if page.last_run_id is not None:
        cursor = make_cursor(wiring.signing_key.value(), caller.tenant_id, listed, page.last_run_id)
    queue = wiring.queue.order(caller.tenant_id) if any(run.is_queued for run in page.runs) else ()
    return Reply(
        {"runs": [run_view(run, queue=queue) for run in page.runs]},
        pagination=Pagination(cursor, has_more=cursor is not None, limit=query.limit),
    )


def list_keys(caller: Caller, query: KeysQuery, wiring: Wiring) -> Reply:
    """A page of keys, newest first. Raises CursorInvalid."""
    listed = {"list": "keys"}
    before = None
    if query.cursor is not None:
        before = read_cursor(wiring.signing_key.value(), caller.tenant_id, listed, query.cursor, wiring.clock.now())
    page = wiring.keyring.page(caller.tenant_id, before_key_id=before, limit=query.limit)
    cursor = None
    if page.last_key_id is not None:
        cursor = make_cursor(wiring.signing_key.value(), caller.tenant_id, listed, page.last_key_id)
    return Reply(
        {"keys": [key_view(key) for key in page.keys]},
        pagination=Pagination(cursor, has_more=cursor is not None, limit=query.limit),
    )


def list_logs(caller: Caller, run_id: str, query: LogsQuery, wiring: Wiring) -> Reply:
    """Lines of a run after the cursor. Raises CursorInvalid, RunNotFound."""
    listed = {"list": "logs", "run": run_id}
    token = None
    if query.cursor is not None:
        key = wiring.signing_key.value()
        token = read_cursor(key, caller.tenant_id, listed, query.cursor, wiring.clock.now()) or None
    logs = read_logs(
        caller.tenant_id,
        run_id,
        token=token,
        limit=query.limit,
        wait_seconds=query.wait,
        runs=wiring.runs,
        agent_logs=wiring.agent_logs,
        clock=wiring.clock,
    )
    cursor = make_cursor(wiring.signing_key.value(), caller.tenant_id, listed, logs.next_token or "")
    return Reply(lines_view(logs.lines), pagination=Pagination(cursor, logs.has_more, query.limit))
