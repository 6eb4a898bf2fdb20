"""Workspaces in DynamoDB, each counted by an item of its tenant's; and how a run takes one and leaves it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_items import (
    decode,
    encode,
    text,
    timestamp,
    to_item,
    workspace_count_key,
    workspace_key,
)
from outpost.adapters.dynamo_listing import list_items
from outpost.adapters.dynamo_transaction import ConditionFailed, write_transaction
from outpost.adapters.dynamo_writes import Write, put_event, put_new
from outpost.domain.event import Event
from outpost.domain.run import Run
from outpost.domain.workspace import Workspace
from outpost.ports import WorkspacePage
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WORKSPACE_IS_FREE = "attribute_exists(pk) AND attribute_not_exists(leased_by)"
WORKSPACE_UNCHANGED = "revision = :seen_revision AND attribute_not_exists(leased_by)"
WORKSPACES_LEFT = "(attribute_not_exists(workspaces) OR workspaces < :most_workspaces)"
# A plan that allows none: nothing is less than that, and what was never counted is not compared.
WORKSPACES_ALLOWED = "workspaces < :most_workspaces"
# Those whose owners were told stand apart in the index: they are not to keep others from their turn.
EXPIRING, NOTICED = "EXPIRING", "NOTICED"


class WorkspaceWrites:
    """The writes by which runs take and leave workspaces."""

    def __init__(self, settings: Settings) -> None:
        self._table = settings.workspaces_table

    def take(self, run: Run, most: int | None) -> list[Write]:
        """Make the run's workspace, or lease the one that there is. The first write is the workspace's own."""
        use = run.workspace
        if use is None:
            return []
        ends_at = run.created_at + timedelta(days=use.keep_days)
        if use.is_new:
            made = Workspace(
                run.tenant_id, use.workspace_id, run.created_at, run.created_at, ends_at, run.repo, run.branch
            )
            leased = encode(replace(made, leased_by=run.run_id)) | {"expires_at": timestamp(ends_at)}
            return [
                put_new(self._table, workspace_key(run.tenant_id, use.workspace_id), leased),
                self.count(run.tenant_id, 1, most),
            ]
        return [
            self._update(
                run,
                "SET leased_by = :run, last_used_at = :now, expires_at = :ends_at REMOVE noticed_at, expiring",
                {":run": run.run_id, ":now": timestamp(run.created_at), ":ends_at": timestamp(ends_at)},
                WORKSPACE_IS_FREE,
            )
        ]

    def leave(self, run: Run, at: datetime) -> Write | None:
        """Give the run's workspace back, with its snapshot if it has stored one."""
        use = run.workspace
        if use is None:
            return None
        expression = "SET last_used_at = :now, expires_at = :ends_at, last_run_id = :run, expiring = :expiring"
        values: dict[str, object] = {
            ":expiring": EXPIRING,
            ":now": timestamp(at),
            ":ends_at": timestamp(at + timedelta(days=use.keep_days)),
            ":run": run.run_id,
        }
        snapshot = run.report.snapshot if run.report else None
        if snapshot is not None:
            expression += ", #previous = if_not_exists(#snapshot, :snapshot), #snapshot = :snapshot"
            values[":snapshot"] = encode(snapshot)
        return self._update(run, f"{expression} REMOVE leased_by, noticed_at", values)

    def count(self, tenant_id: str, change: int, most: int | None = None) -> Write:
        """Count one more, where there may be one more; or one less."""
        values = {":change": change}
        update: Write = {
            "TableName": self._table,
            "Key": workspace_count_key(tenant_id),
            "UpdateExpression": "ADD workspaces :change",
        }
        if most is not None:
            values[":most_workspaces"] = most
            condition = WORKSPACES_LEFT if most > 0 else WORKSPACES_ALLOWED
            update |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        return {"Update": {**update, "ExpressionAttributeValues": to_item(values)}}

    def _update(self, run: Run, expression: str, values: dict[str, object], condition: str = "") -> Write:
        use = run.workspace
        update: Write = {
            "TableName": self._table,
            "Key": workspace_key(run.tenant_id, use.workspace_id if use else ""),
            "UpdateExpression": f"{expression} ADD revision :one",
            "ExpressionAttributeValues": to_item({**values, ":one": 1}),
        }
        if "#snapshot" in expression:
            update["ExpressionAttributeNames"] = {"#previous": "previous", "#snapshot": "snapshot"}
        if condition:
            update |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        return {"Update": update}


class DynamoWorkspaces:
    """The records of workspaces."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._table = settings.workspaces_table
        self._writes = WorkspaceWrites(settings)

    def get(self, tenant_id: str, workspace_id: str) -> Workspace | None:
        key = workspace_key(tenant_id, workspace_id)
        with unavailable_if_it_fails():
            item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return decode(Workspace, item) if item else None

    def page(self, tenant_id: str, *, before_id: str | None, limit: int) -> WorkspacePage:
        after = None if before_id is None else workspace_key(tenant_id, before_id)
        items = list_items(
            self._client, self._table, tenant_id, "WORKSPACE#", after=after, limit=limit + 1, is_ascending=False
        )
        found = tuple(decode(Workspace, item) for item in items[:limit])
        return WorkspacePage(found, found[-1].workspace_id if len(items) > limit else None)

    def remove(self, before: Workspace, event: Event) -> bool:
        delete: Write = {"Delete": self._if_unchanged(before)}
        return self._write(delete, event, self._writes.count(before.tenant_id, -1))

    def note_end(self, before: Workspace, at: datetime, event: Event) -> bool:
        update = self._if_unchanged(before)
        update["UpdateExpression"] = "SET noticed_at = :now, expiring = :noticed ADD revision :one"
        update["ExpressionAttributeValues"] |= to_item({":now": timestamp(at), ":noticed": NOTICED, ":one": 1})
        return self._write({"Update": update}, event)

    def ending(self, at: datetime, limit: int, *, is_noticed: bool) -> tuple[tuple[str, str], ...]:
        expiring = NOTICED if is_noticed else EXPIRING
        with unavailable_if_it_fails():
            answer = self._client.query(
                TableName=self._table,
                IndexName="expiring",
                KeyConditionExpression="expiring = :expiring AND expires_at <= :at",
                ExpressionAttributeValues=to_item({":expiring": expiring, ":at": timestamp(at)}),
                Limit=limit,
            )
        keys = [(text(item, "pk"), text(item, "sk")) for item in answer["Items"]]
        return tuple((pk.removeprefix("TENANT#"), sk.removeprefix("WORKSPACE#")) for pk, sk in keys)

    def _write(self, change: Write, event: Event, *others: Write) -> bool:
        try:
            write_transaction(self._client, [change, put_event(self._settings, event), *others])
        except ConditionFailed:
            return False
        return True

    def _if_unchanged(self, before: Workspace) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": workspace_key(before.tenant_id, before.workspace_id),
            "ConditionExpression": WORKSPACE_UNCHANGED,
            "ExpressionAttributeValues": to_item({":seen_revision": before.revision}),
        }
