"""The transaction that records a run with all that it takes of the limits, and what its refusal says."""

from typing import Any

from outpost.adapters.dynamo_counters import (
    DEPLOYMENT_IS_FULL,
    HAS_A_SLOT,
    HAS_TO_WAIT,
    NOBODY_WAITS,
    PLAN_UNCHANGED,
    QUEUE_HAS_ROOM,
    TENANT_IS_OPEN,
    Counters,
)
from outpost.adapters.dynamo_deployments import decode_deployment
from outpost.adapters.dynamo_items import decode, lock_key, text, timestamp, to_item
from outpost.adapters.dynamo_transaction import ConditionFailed
from outpost.adapters.dynamo_workspaces import WorkspaceWrites
from outpost.adapters.dynamo_writes import Write, put_new
from outpost.domain.admission import Form, Usage
from outpost.domain.errors import Limit, Refusal, TenantSuspended, WorkspaceInUse, WorkspaceNotFound, WorkspacesFull
from outpost.domain.run import Run
from outpost.domain.tenant import Tenant
from outpost.ports import Admission, IdempotencyLock, NotAdmitted
from outpost.settings import Settings

IS_NEW_OR_EXPIRED = "attribute_not_exists(pk) OR expires_at <= :now"
KEY_STILL_VALID = "#status = :active AND (attribute_not_exists(expires_at) OR expires_at > :now)"

_TENANT_CONDITIONS = {
    Form.LAUNCH: (HAS_A_SLOT, NOBODY_WAITS),
    Form.BEHIND_OWN: (HAS_TO_WAIT, QUEUE_HAS_ROOM),
    Form.BEHIND_OTHERS: (QUEUE_HAS_ROOM,),
}
KEY, TENANT, DEPLOYMENT, FIRST_USAGE = range(4)


class AdmissionWrites:
    """The writes of an admission, in the order of `read_refusal`: key, tenant, deployment, use, lock, workspace."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._counters = Counters(settings)
        self._workspaces = WorkspaceWrites(settings)

    def of(self, run: Run, admission: Admission) -> list[Write]:
        """Every write but those of the run itself."""
        writes = [
            self._require_key(run, admission),
            self._take_place(run, admission),
            self._require_room(run, admission),
        ]
        writes += [
            self._counters.take_use(run.tenant_id, allowance, admission.asked) for allowance in admission.allowances
        ]
        if admission.lock is not None:
            writes.append(self._take_lock(run, admission.lock))
        return writes + self._workspaces.take(run, admission.most_workspaces)

    def _require_key(self, run: Run, admission: Admission) -> Write:
        return {
            "ConditionCheck": {
                "TableName": self._settings.api_keys_table,
                "Key": to_item({"key_hash": admission.key_hash}),
                "ConditionExpression": KEY_STILL_VALID,
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": to_item({":active": "ACTIVE", ":now": timestamp(run.created_at)}),
            }
        }

    def _take_place(self, run: Run, admission: Admission) -> Write:
        return self._counters.tenant(
            run.tenant_id,
            active=int(run.holds_slot),
            queued=int(run.is_queued),
            conditions=(TENANT_IS_OPEN, PLAN_UNCHANGED, *_TENANT_CONDITIONS[admission.form]),
            values={":plan_revision": admission.plan_revision},
        )

    def _require_room(self, run: Run, admission: Admission) -> Write:
        if admission.form is Form.LAUNCH:
            return self._counters.take_launch(run.agent, run.created_at)
        full = (DEPLOYMENT_IS_FULL,) if admission.form is Form.BEHIND_OTHERS else ()
        return self._counters.require_queueing(run.agent, run.created_at, *full)

    def _take_lock(self, run: Run, lock: IdempotencyLock) -> Write:
        attributes = {
            "run_id": lock.run_id,
            "body_sha256": lock.body_sha256,
            "expires_at": int(lock.expires_at.timestamp()),
        }
        key = lock_key(run.tenant_id, lock.key)
        write = put_new(self._settings.jobs_table, key, attributes, IS_NEW_OR_EXPIRED)
        write["Put"]["ExpressionAttributeValues"] = to_item({":now": int(run.created_at.timestamp())})
        return write


def read_refusal(
    failed: ConditionFailed, run: Run, admission: Admission, most_runs: int
) -> NotAdmitted | TenantSuspended:
    """What was found instead of what the admission expected."""
    usages = range(FIRST_USAGE, FIRST_USAGE + len(admission.allowances))
    workspace = usages.stop + (admission.lock is not None)
    if TENANT in failed.found and not failed.found[TENANT]:
        return TenantSuspended()
    return NotAdmitted(
        key_is_invalid=KEY in failed.found,
        lock_is_taken=admission.lock is not None and usages.stop in failed.found,
        tenant=decode(Tenant, failed.found[TENANT]) if TENANT in failed.found else None,
        deployment=decode_deployment(failed.found[DEPLOYMENT], most_runs) if DEPLOYMENT in failed.found else None,
        usages={place - FIRST_USAGE: _usage(failed.found[place]) for place in usages if place in failed.found},
        workspace=_workspace_refusal(failed, run, admission, workspace),
    )


def _usage(item: dict[str, Any]) -> Usage:
    return decode(Usage, item)


def _workspace_refusal(failed: ConditionFailed, run: Run, admission: Admission, first: int) -> Refusal | None:
    """Why the run cannot have its workspace: another run has it, it is gone, or there are as many as there may be."""
    if run.workspace is None or not {first, first + 1} & failed.found.keys():
        return None
    if run.workspace.is_new:
        counted = failed.found.get(first + 1, {}).get("workspaces", {}).get("N", "0")
        return WorkspacesFull(Limit("workspaces", admission.most_workspaces or 0, int(counted)))
    item = failed.found.get(first)
    return WorkspaceInUse(text(item, "leased_by")) if item else WorkspaceNotFound(run.workspace.workspace_id)
