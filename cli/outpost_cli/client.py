"""The routes of Outpost as typed methods."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

import httpx

from outpost_cli.account_client import AccountClient
from outpost_cli.answers import interpret, read_json_object, read_location
from outpost_cli.batch_client import BatchClient
from outpost_cli.durations import format_moment
from outpost_cli.errors import UsageRefused
from outpost_cli.event_client import EventClient
from outpost_cli.ids import check_id, make_run_path
from outpost_cli.json_fields import JsonObject, drop_absent, read_list
from outpost_cli.models.explanation import Explanation
from outpost_cli.models.page import LogLine, LogPage, Page, RunPage
from outpost_cli.models.result import ArtifactList, PatchLink
from outpost_cli.models.run import Receipt, Run
from outpost_cli.models.service import Fleet, Health
from outpost_cli.paging import iterate_pages
from outpost_cli.promotion_client import PromotionClient
from outpost_cli.transport import Transport
from outpost_cli.wishes import PERSISTENT, PromotionWish, Succession, Wish, promote_on_success
from outpost_cli.workspace_client import WorkspaceClient

LONGEST_LOG_PAGE = 1000
LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch(Wish):
    """What to run. A workspace that exists is persistent, whether that is said or not."""

    agent: str
    task: str
    model_id: str | None = None
    repo: str | None = None
    branch: str | None = None
    is_persistent: bool = False
    workspace_id: str | None = None
    promotion: PromotionWish | None = None

    def to_document(self) -> JsonObject:
        return drop_absent(
            {
                "agent": self.agent,
                "task": self.task,
                "modelId": self.model_id,
                "repo": self.repo,
                "branch": self.branch,
                "workspaceMode": PERSISTENT if self.is_persistent else None,
                "workspaceId": self.workspace_id,
                **self.to_shared_document(),
                "promote": promote_on_success(self.promotion),
            }
        )


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list; all that is given must match."""

    status: str | None = None
    agent: str | None = None
    repo: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    parent: str | None = None
    batch: str | None = None

    def to_query(self) -> list[tuple[str, str]]:
        given: dict[str, str | None] = {
            "status": self.status,
            "agent": self.agent,
            "repo": self.repo,
            "since": None if self.since is None else format_moment(self.since),
            "until": None if self.until is None else format_moment(self.until),
            "parent": self.parent,
            "batch": self.batch,
        }
        tags = [("tag", f"{name}:{value}") for name, value in self.tags]
        return [(name, value) for name, value in given.items() if value is not None] + tags


class OutpostClient:
    """A client of one Outpost service. An error answer is raised as a ServiceRefusal of `outpost_cli.errors`."""

    def __init__(self, url: str, api_key: str | None = None, *, transport: httpx.BaseTransport | None = None) -> None:
        self._transport = Transport(url, api_key, transport=transport)
        self.account = AccountClient(self._transport)
        self.batches = BatchClient(self._transport)
        self.events = EventClient(self._transport)
        self.promotions = PromotionClient(self._transport)
        self.workspaces = WorkspaceClient(self._transport)

    def __enter__(self) -> Self:
        self._transport.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.__exit__(kind, error, trace)

    def dispatch(self, dispatch: Dispatch) -> Receipt:
        return self._begin("/dispatch", dispatch.to_document())

    def rerun(self, run_id: str, changes: Succession) -> Receipt:
        """A run that does the same again from the same commit, with the changes."""
        return self._begin(f"{make_run_path(run_id)}/rerun", changes.to_document())

    def follow_up(self, run_id: str, succession: Succession) -> Receipt:
        """A run that goes on from what the other one left. Refused while that one has not ended."""
        return self._begin(f"{make_run_path(run_id)}/follow-up", succession.to_document())

    def get_run(self, run_id: str) -> Run:
        answer = self._transport.call("GET", make_run_path(run_id))
        return interpret(lambda: Run.from_document(answer.data))

    def list_runs(self, chosen: RunFilter, *, limit: int = 20, cursor: str | None = None) -> RunPage:
        """One page of at most 100 runs, newest first."""
        query = [*chosen.to_query(), ("limit", str(limit)), *([("cursor", cursor)] if cursor else [])]
        answer = self._transport.call("GET", "/runs", query=query)
        return interpret(
            lambda: RunPage(runs=read_list(answer.data, "runs", Run.from_document), page=Page.from_meta(answer.meta))
        )

    def iterate_runs(self, chosen: RunFilter, *, limit: int | None) -> Iterator[Run]:
        """Runs newest first, page by page, until `limit` of them (None: all)."""

        def read_page(size: int, cursor: str | None) -> tuple[tuple[Run, ...], Page]:
            found = self.list_runs(chosen, limit=size, cursor=cursor)
            return found.runs, found.page

        return iterate_pages(read_page, limit=limit)

    def resolve_run_id(self, run: str) -> str:
        """A run id as it is; `last` is the newest run."""
        if run != LAST:
            return check_id(run, "a run id", remedy="Give an id as `outpost runs` lists it, or `last`.")
        newest = self.list_runs(RunFilter(), limit=1).runs
        if not newest:
            raise UsageRefused("There is no run yet.", remedy="Make one with `outpost dispatch`.")
        return newest[0].run_id

    def cancel_run(self, run_id: str, *, reason: str | None = None) -> JsonObject:
        """Asks for the end of a run; it has ended once its status is terminal."""
        body: JsonObject = {} if reason is None else {"reason": reason}
        return self._transport.call("POST", f"{make_run_path(run_id)}/cancel", body=body).data

    def explain_run(self, run_id: str) -> Explanation:
        answer = self._transport.call("GET", f"{make_run_path(run_id)}/explain")
        return interpret(lambda: Explanation.from_document(answer.data))

    def get_logs(
        self, run_id: str, *, cursor: str | None = None, limit: int = LONGEST_LOG_PAGE, wait_seconds: int = 0
    ) -> LogPage:
        """Log lines after the cursor; waits up to `wait_seconds` (at most 20) for new ones."""
        query = [("limit", str(limit)), ("wait", str(wait_seconds)), *([("cursor", cursor)] if cursor else [])]
        answer = self._transport.call("GET", f"{make_run_path(run_id)}/logs", query=query)
        return interpret(
            lambda: LogPage(
                lines=read_list(answer.data, "lines", LogLine.from_document), page=Page.from_meta(answer.meta)
            )
        )

    def describe_patch(self, run_id: str) -> PatchLink:
        answer = self._transport.call("GET", f"{make_run_path(run_id)}/patch")
        return interpret(lambda: PatchLink.from_document(answer.data))

    def get_patch(self, run_id: str) -> bytes:
        """The run's diff, byte for byte. NotFound while there is none."""
        path = f"{make_run_path(run_id)}/patch"
        response = self._transport.retry_refused(lambda: self._transport.send_once("GET", path, accept="text/x-diff"))
        if response.is_redirect:
            return self._transport.fetch_presigned(read_location(response))
        return response.content

    def list_artifacts(self, run_id: str) -> ArtifactList:
        answer = self._transport.call("GET", f"{make_run_path(run_id)}/artifacts")
        return interpret(lambda: ArtifactList.from_document(answer.data))

    @contextmanager
    def stream_presigned(self, url: str) -> Iterator[httpx.Response]:
        """The answer of an object store to a presigned URL, unread; the key is not sent along."""
        with self._transport.stream_presigned(url) as response:
            yield response

    def get_fleet(self) -> Fleet:
        answer = self._transport.call("GET", "/fleet")
        return interpret(lambda: Fleet.from_document(answer.data))

    def get_health(self) -> Health:
        """How the service is, asked once: an unwell service is an answer here, not an error."""
        response = self._transport.send_once("GET", "/health")
        document = read_json_object(response)
        return interpret(lambda: Health.from_document(document, is_success=response.is_success))

    def get_version(self) -> JsonObject:
        return read_json_object(self._transport.retry_refused(lambda: self._transport.send_once("GET", "/version")))

    def _begin(self, path: str, wish: JsonObject) -> Receipt:
        answer = self._transport.call("POST", path, body=wish)
        is_replay = answer.headers.get("idempotent-replay") == "true"
        return interpret(lambda: Receipt.from_document(answer.data, is_replay=is_replay))
