"""Lists with cursors: runs, keys, secrets, events and log lines."""

from collections.abc import Mapping

from outpost.api.account_bodies import KeysQuery
from outpost.api.account_views import key_view
from outpost.api.application import Pagination, Reply
from outpost.api.cursor import make_cursor, read_cursor
from outpost.api.queries import EventPageQuery, LogsQuery, RunsQuery
from outpost.api.secret_bodies import SecretsQuery
from outpost.api.secrets import secret_view
from outpost.api.views import event_view, lines_view, run_view
from outpost.domain.api_key import Caller
from outpost.ports import RunFilter
from outpost.use_cases.follow_run import read_events
from outpost.use_cases.read_logs import LogPosition, read_logs
from outpost.wiring import Wiring


class Listing:
    """One list of a tenant: where its cursors point to, which are good for nothing else."""

    def __init__(self, caller: Caller, listed: Mapping[str, object], wiring: Wiring) -> None:
        self._tenant_id = caller.tenant_id
        self._listed = listed
        self._wiring = wiring

    def position(self, cursor: str | None) -> str | None:
        """Where the cursor goes on; None at the beginning. Raises CursorInvalid."""
        if cursor is None:
            return None
        key, now = self._wiring.signing_key.value(), self._wiring.clock.now()
        return read_cursor(key, self._tenant_id, self._listed, cursor, now)

    def cursor(self, position: str) -> str:
        """A cursor that goes on from the position."""
        return make_cursor(self._wiring.signing_key.value(), self._tenant_id, self._listed, position)

    def pagination(self, last: str | None, limit: int) -> Pagination:
        """What a page says of the next one, which begins after `last`; None where there is none."""
        return Pagination(None if last is None else self.cursor(last), has_more=last is not None, limit=limit)


def list_runs(caller: Caller, query: RunsQuery, wiring: Wiring) -> Reply:
    """A page of runs, newest first. Raises CursorInvalid."""
    filtered = query.model_dump(mode="json", exclude={"cursor", "limit"})
    listing = Listing(caller, {"list": "runs", **filtered}, wiring)
    wanted = RunFilter(
        status=query.status,
        agent=query.agent,
        repo=query.repo,
        parent=query.parent,
        batch=query.batch,
        tags=dict(tag.split(":", 1) for tag in query.tag),
        since=query.since,
        until=query.until,
    )
    before = listing.position(query.cursor)
    page = wiring.runs.page(caller.tenant_id, wanted, before_run_id=before, limit=query.limit)
    queue = wiring.queue.order(caller.tenant_id) if any(run.is_queued for run in page.runs) else ()
    now = wiring.clock.now()
    return Reply(
        {"runs": [run_view(run, now, queue=queue) for run in page.runs]},
        pagination=listing.pagination(page.last_run_id, query.limit),
    )


def list_keys(caller: Caller, query: KeysQuery, wiring: Wiring) -> Reply:
    """A page of keys, newest first. Raises CursorInvalid."""
    listing = Listing(caller, {"list": "keys"}, wiring)
    before = listing.position(query.cursor)
    page = wiring.keyring.page(caller.tenant_id, before_key_id=before, limit=query.limit)
    return Reply(
        {"keys": [key_view(key) for key in page.keys]},
        pagination=listing.pagination(page.last_key_id, query.limit),
    )


def list_secrets(caller: Caller, query: SecretsQuery, wiring: Wiring) -> Reply:
    """A page of secrets by name. Raises CursorInvalid."""
    listing = Listing(caller, {"list": "secrets"}, wiring)
    after = listing.position(query.cursor)
    page = wiring.tenant_secrets.page(caller.tenant_id, after_name=after, limit=query.limit)
    return Reply(
        {"secrets": [secret_view(secret) for secret in page.secrets]},
        pagination=listing.pagination(page.last_name, query.limit),
    )


def list_logs(caller: Caller, run_id: str, query: LogsQuery, wiring: Wiring) -> Reply:
    """Lines of a run after the cursor. Raises CursorInvalid, RunNotFound."""
    listing = Listing(caller, {"list": "logs", "run": run_id}, wiring)
    logs = read_logs(
        caller.tenant_id,
        run_id,
        position=_log_position(listing.position(query.cursor)),
        limit=query.limit,
        wait_seconds=query.wait,
        runs=wiring.runs,
        agent_logs=wiring.agent_logs,
        clock=wiring.clock,
    )
    # A run may go on: its lines have a cursor at their end too.
    cursor = listing.cursor(f"{logs.position.attempt} {logs.position.token or ''}")
    return Reply(lines_view(logs.lines), pagination=Pagination(cursor, logs.has_more, query.limit))


def list_events(caller: Caller, run_id: str, query: EventPageQuery, wiring: Wiring) -> Reply:
    """Events of a run after the cursor, oldest first. Raises CursorInvalid, RunNotFound."""
    listing = Listing(caller, {"list": "events", "run": run_id}, wiring)
    after = int(listing.position(query.cursor) or 0)
    found = read_events(
        caller.tenant_id,
        run_id,
        after=after,
        limit=query.limit,
        wait_seconds=query.wait,
        runs=wiring.runs,
        events=wiring.events,
        clock=wiring.clock,
    )
    cursor = listing.cursor(str(after + len(found.events)))
    return Reply(
        {"events": [event_view(event) for event in found.events]},
        pagination=Pagination(cursor, found.has_more, query.limit),
    )


def _log_position(position: str | None) -> LogPosition:
    attempt, space, token = (position or "").partition(" ")
    # A cursor of an earlier version has a token alone, and for a day it may still be in somebody's hands.
    return LogPosition(int(attempt), token or None) if space else LogPosition(token=attempt or None)
