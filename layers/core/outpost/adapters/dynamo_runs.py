"""Runs in DynamoDB: every write conditional, every change with its event in one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.adapters.dynamo_admission import AdmissionWrites, read_refusal
from outpost.adapters.dynamo_changes import ChangeWrites, read_change_refusal
from outpost.adapters.dynamo_items import (
    artifacts_key,
    decode,
    encode,
    encode_run,
    lock_key,
    queue_key,
    run_key,
    text,
    timestamp,
    to_item,
)
from outpost.adapters.dynamo_pages import query_active, query_page
from outpost.adapters.dynamo_promotions import put_promotion
from outpost.adapters.dynamo_transaction import ConditionFailed, write_transaction
from outpost.adapters.dynamo_update import update_one
from outpost.adapters.dynamo_writes import Write, put_event, put_new
from outpost.domain.event import Event
from outpost.domain.report import Artifact
from outpost.domain.run import Run, RunStatus
from outpost.ports import Admission, IdempotencyLock, RequestedPromotion, RunChangedMeanwhile, RunFilter, RunPage
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REVISION_UNCHANGED = "revision = :decided_upon"


class DynamoRuns:
    """Runs on the tables of the deployment."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def create(self, run: Run, event: Event, admission: Admission) -> None:
        writes = AdmissionWrites(self._settings).of(run, admission)
        writes.append(put_new(self._settings.jobs_table, run_key(run.tenant_id, run.run_id), encode_run(run)))
        writes.append(put_event(self._settings, event))
        if run.is_queued:
            writes.append(put_new(self._settings.jobs_table, queue_key(run), {"agent": run.agent}))
        try:
            write_transaction(self._client, writes)
        except ConditionFailed as failed:
            raise read_refusal(failed, run, admission, self._settings.deployment_runs) from failed

    def get(self, tenant_id: str, run_id: str) -> Run | None:
        item = self._get(run_key(tenant_id, run_id))
        return None if item is None else decode(Run, item)

    def find_lock(self, tenant_id: str, key: str) -> IdempotencyLock | None:
        item = self._get(lock_key(tenant_id, key))
        if item is None:
            return None
        expires_at = datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC)
        return IdempotencyLock(key, text(item, "body_sha256"), text(item, "run_id"), expires_at)

    def save(
        self,
        before: Run,
        after: Run,
        event: Event | None,
        artifacts: Sequence[Artifact] | None = None,
        promotion: RequestedPromotion | None = None,
    ) -> Run:
        written, update = self._update(before, after)
        writes: list[Write] = [{"Update": update}]
        if event is not None:
            writes.append(put_event(self._settings, event))
        if artifacts is not None:
            writes.append(self._put_artifacts(after, artifacts))
        if promotion is not None:
            writes += [put_promotion(self._settings, promotion.promotion), put_event(self._settings, promotion.event)]
        consequences = ChangeWrites(self._settings).of(before, after)
        writes += consequences.values()
        if len(writes) == 1:
            self._update_alone(update)
            return written
        try:
            write_transaction(self._client, writes)
        except ConditionFailed as failed:
            first = len(writes) - len(consequences)
            roles = list(consequences)
            found = {roles[place - first]: item for place, item in failed.found.items() if place >= first}
            raise read_change_refusal(found, after, self._settings.deployment_runs) from failed
        return written

    def page(self, tenant_id: str, wanted: RunFilter, *, before_run_id: str | None, limit: int) -> RunPage:
        with unavailable_if_it_fails():
            return query_page(
                self._client, self._settings.jobs_table, tenant_id, wanted, before_run_id=before_run_id, limit=limit
            )

    def at_work(self, tenant_id: str, now: datetime) -> tuple[str, ...]:
        with unavailable_if_it_fails():
            active = query_active(self._client, self._settings.jobs_table, tenant_id, now)
        return tuple(run_id for run_id, status in active if status in (RunStatus.PENDING, RunStatus.RUNNING))

    def artifacts(self, tenant_id: str, run_id: str, attempt: int) -> tuple[Artifact, ...]:
        item = self._get(artifacts_key(tenant_id, run_id, attempt))
        return () if item is None else tuple(decode(Artifact, entry["M"]) for entry in item["artifacts"]["L"])

    def due(self, shard: str, at: datetime, limit: int) -> tuple[tuple[str, str], ...]:
        with unavailable_if_it_fails():
            answer = self._client.query(
                TableName=self._settings.jobs_table,
                IndexName="active",
                KeyConditionExpression="active_shard = :shard AND check_at <= :at",
                ExpressionAttributeValues=to_item({":shard": shard, ":at": timestamp(at)}),
                Limit=limit,
            )
        keys = [(text(item, "pk"), text(item, "sk")) for item in answer["Items"]]
        return tuple((pk.removeprefix("TENANT#"), sk.removeprefix("RUN#")) for pk, sk in keys)

    def _get(self, key: dict[str, Any]) -> dict[str, Any] | None:
        with unavailable_if_it_fails():
            return self._client.get_item(TableName=self._settings.jobs_table, Key=key, ConsistentRead=True).get("Item")

    def _update(self, before: Run, after: Run) -> tuple[Run, dict[str, Any]]:
        """The run as it will be, and the UpdateItem that makes only the attributes that differ so."""
        written = replace(after, revision=before.revision + 1)
        old, new = encode_run(before), encode_run(written)
        changed = sorted(name for name in new if new[name] != old.get(name))
        removed = sorted(name for name in old if name not in new)
        names = {f"#{name}": name for name in (*changed, *removed)}
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in changed)
        if removed:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
        return written, {
            "TableName": self._settings.jobs_table,
            "Key": run_key(after.tenant_id, after.run_id),
            "UpdateExpression": expression,
            "ConditionExpression": REVISION_UNCHANGED,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": to_item(
                {f":{name}": new[name] for name in changed} | {":decided_upon": before.revision}
            ),
        }

    def _update_alone(self, update: dict[str, Any]) -> None:
        if update_one(self._client, update) is None:
            raise RunChangedMeanwhile

    def _put_artifacts(self, run: Run, artifacts: Sequence[Artifact]) -> dict[str, Any]:
        attributes = {"artifacts": [encode(artifact) for artifact in artifacts]}
        return put_new(self._settings.jobs_table, artifacts_key(run.tenant_id, run.run_id, run.attempt), attributes)
