"""Runs in DynamoDB: every write conditional, every change with its event in one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from outpost.adapters.aws import error_code, unavailable_if_it_fails
from outpost.adapters.dynamo_items import (
    artifacts_key,
    decode,
    encode,
    encode_run,
    event_key,
    lock_key,
    run_key,
    tenant_key,
    text,
    timestamp,
    to_item,
)
from outpost.adapters.dynamo_pages import query_page
from outpost.adapters.dynamo_transaction import ConditionFailed, write_transaction
from outpost.domain.errors import CallerUnknown, Limit, OutpostError, QuotaExceeded, TenantSuspended
from outpost.domain.event import Event
from outpost.domain.report import Artifact
from outpost.domain.run import Run
from outpost.domain.tenant import Tenant, TenantStatus
from outpost.ports import Admission, IdempotencyLock, RunChangedMeanwhile, RunExistsAlready, RunFilter, RunPage
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

IS_NEW = "attribute_not_exists(pk)"
IS_NEW_OR_EXPIRED = "attribute_not_exists(pk) OR expires_at <= :now"
REVISION_UNCHANGED = "revision = :decided_upon"
TENANT_HAS_A_SLOT = "#status = :active AND active_runs < concurrent_limit"
TENANT_EXISTS = "attribute_exists(pk)"
KEY_STILL_VALID = "#status = :active AND (attribute_not_exists(expires_at) OR expires_at > :now)"


class DynamoRuns:
    """Runs on the tables of the deployment."""

    def __init__(self, client: "DynamoDBClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def create(self, run: Run, event: Event, admission: Admission) -> None:
        refusals: list[tuple[dict[str, Any], type[OutpostError] | None]] = [
            (self._take_slot(run.tenant_id), QuotaExceeded),
            (self._require_key(admission, run.created_at), CallerUnknown),
            (self._put(self._settings.jobs_table, run_key(run.tenant_id, run.run_id), encode_run(run)), None),
            (self._put_event(event), None),
        ]
        if admission.lock is not None:
            refusals.insert(0, (self._put_lock(run, admission.lock), RunExistsAlready))
        try:
            write_transaction(self._client, [write for write, _ in refusals])
        except ConditionFailed as failed:
            raise _refusal(refusals[failed.index][1], failed) from failed

    def get(self, tenant_id: str, run_id: str) -> Run | None:
        item = self._get(run_key(tenant_id, run_id))
        return None if item is None else decode(Run, item)

    def find_lock(self, tenant_id: str, key: str) -> IdempotencyLock | None:
        item = self._get(lock_key(tenant_id, key))
        if item is None:
            return None
        expires_at = datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC)
        return IdempotencyLock(key, text(item, "body_sha256"), text(item, "run_id"), expires_at)

    def save(self, before: Run, after: Run, event: Event | None, artifacts: Sequence[Artifact] | None = None) -> Run:
        written, update = self._update(before, after)
        writes: list[dict[str, Any]] = [{"Update": update}]
        if event is not None:
            writes.append(self._put_event(event))
        if artifacts is not None:
            writes.append(self._put_artifacts(after, artifacts))
        if before.holds_slot and not after.holds_slot:
            writes.append(self._free_slot(after.tenant_id))
        if len(writes) == 1:
            self._update_alone(update)
            return written
        try:
            write_transaction(self._client, writes)
        except ConditionFailed as failed:
            raise RunChangedMeanwhile(after.run_id) from failed
        return written

    def page(self, tenant_id: str, wanted: RunFilter, *, before_run_id: str | None, limit: int) -> RunPage:
        with unavailable_if_it_fails():
            return query_page(
                self._client, self._settings.jobs_table, tenant_id, wanted, before_run_id=before_run_id, limit=limit
            )

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
        with unavailable_if_it_fails():
            try:
                self._client.update_item(**update)
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                raise RunChangedMeanwhile from error

    def _put(
        self, table: str, key: dict[str, Any], attributes: dict[str, Any], condition: str = IS_NEW
    ) -> dict[str, Any]:
        return {"Put": {"TableName": table, "Item": to_item(attributes) | key, "ConditionExpression": condition}}

    def _put_event(self, event: Event) -> dict[str, Any]:
        return self._put(self._settings.audit_table, event_key(event.tenant_id, event.event_id), encode(event))

    def _put_artifacts(self, run: Run, artifacts: Sequence[Artifact]) -> dict[str, Any]:
        attributes = {"artifacts": [encode(artifact) for artifact in artifacts]}
        return self._put(self._settings.jobs_table, artifacts_key(run.tenant_id, run.run_id, run.attempt), attributes)

    def _put_lock(self, run: Run, lock: IdempotencyLock) -> dict[str, Any]:
        attributes = {
            "run_id": lock.run_id,
            "body_sha256": lock.body_sha256,
            "expires_at": int(lock.expires_at.timestamp()),
        }
        write = self._put(self._settings.jobs_table, lock_key(run.tenant_id, lock.key), attributes, IS_NEW_OR_EXPIRED)
        write["Put"]["ExpressionAttributeValues"] = to_item({":now": int(run.created_at.timestamp())})
        return write

    def _take_slot(self, tenant_id: str) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._settings.tenants_table,
                "Key": tenant_key(tenant_id),
                "UpdateExpression": "ADD active_runs :one, slot_changes :one",
                "ConditionExpression": TENANT_HAS_A_SLOT,
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": to_item({":one": 1, ":active": TenantStatus.ACTIVE}),
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _free_slot(self, tenant_id: str) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._settings.tenants_table,
                "Key": tenant_key(tenant_id),
                "UpdateExpression": "ADD active_runs :minus_one, slot_changes :one",
                "ConditionExpression": TENANT_EXISTS,
                "ExpressionAttributeValues": to_item({":minus_one": -1, ":one": 1}),
            }
        }

    def _require_key(self, admission: Admission, now: datetime) -> dict[str, Any]:
        return {
            "ConditionCheck": {
                "TableName": self._settings.api_keys_table,
                "Key": to_item({"key_hash": admission.caller.key_hash}),
                "ConditionExpression": KEY_STILL_VALID,
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": to_item({":active": "ACTIVE", ":now": timestamp(now)}),
            }
        }


def _refusal(kind: type[OutpostError] | None, failed: ConditionFailed) -> OutpostError:
    if kind is QuotaExceeded:
        tenant = decode(Tenant, failed.found) if failed.found else None
        if tenant is None or tenant.status is not TenantStatus.ACTIVE:
            return TenantSuspended()
        return QuotaExceeded(Limit("concurrentRuns", tenant.concurrent_limit, tenant.active_runs))
    if kind is CallerUnknown:
        return CallerUnknown("revoked meanwhile")
    return RunExistsAlready() if kind is RunExistsAlready else failed
