"""What a run's change brings with it: slots, places in the queue, use, the breaker, and leave to be worked on."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from outpost.adapters.dynamo_counters import (
    HAS_A_SLOT,
    TENANT_EXISTS,
    TENANT_IS_OPEN,
    Counters,
)
from outpost.adapters.dynamo_deployments import decode_deployment
from outpost.adapters.dynamo_items import queue_key
from outpost.adapters.dynamo_workspaces import WorkspaceWrites
from outpost.adapters.dynamo_writes import Write
from outpost.domain.deployment import breaker_news
from outpost.domain.errors import OutpostError
from outpost.domain.run import Run, RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.domain.tenant import TenantStatus
from outpost.ports import RunChangedMeanwhile, SlotRefusal, SlotRefused, WorkForbidden
from outpost.settings import Settings


class Consequence(StrEnum):
    """What a write beside the run's own is for."""

    TENANT = "tenant"
    DEPLOYMENT = "deployment"
    PLACE = "place"
    USE = "use"
    KEY_USE = "key-use"
    WORKSPACE = "workspace"


class ChangeWrites:
    """The writes that follow from a change of a run."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._counters = Counters(settings)
        self._workspaces = WorkspaceWrites(settings)

    def of(self, before: Run, after: Run) -> dict[Consequence, Write]:
        """Each write by what it is for."""
        if before.status is RunStatus.PENDING and after.status is RunStatus.RUNNING:
            return {
                Consequence.TENANT: self._counters.require_tenant_open(after.tenant_id),
                Consequence.DEPLOYMENT: self._counters.require_deployment_open(),
            }
        writes = {**self._tenant(before, after), **self._deployment(before, after)}
        if before.is_queued and not after.is_queued:
            writes[Consequence.PLACE] = {"Delete": {"TableName": self._settings.jobs_table, "Key": queue_key(before)}}
        if after.status.is_terminal and not before.status.is_terminal:
            writes |= self._settlement(after) | self._remains(after)
        return writes

    def _tenant(self, before: Run, after: Run) -> dict[Consequence, Write]:
        active, queued = after.holds_slot - before.holds_slot, after.is_queued - before.is_queued
        if not active and not queued:
            return {}
        takes_slot = active > 0
        return {
            Consequence.TENANT: self._counters.tenant(
                after.tenant_id,
                active=active,
                queued=queued,
                conditions=(TENANT_IS_OPEN, HAS_A_SLOT) if takes_slot else (TENANT_EXISTS,),
                served_at=after.status_since if takes_slot else None,
            )
        }

    def _deployment(self, before: Run, after: Run) -> dict[Consequence, Write]:
        active, news = after.holds_slot - before.holds_slot, breaker_news(before, after)
        if active > 0:
            return {Consequence.DEPLOYMENT: self._counters.take_launch(after.agent, after.status_since)}
        if not active and news is None:
            return {}
        return {Consequence.DEPLOYMENT: self._counters.free_launch(active, after.agent, news, after.status_since)}

    def _remains(self, run: Run) -> dict[Consequence, Write]:
        """What goes on after the run: its workspace, for others to use."""
        left = self._workspaces.leave(run, run.ended_at or run.status_since)
        return {} if left is None else {Consequence.WORKSPACE: left}

    def _settlement(self, run: Run) -> dict[Consequence, Write]:
        reserved = run.reservation
        if reserved is None:
            return {}
        seconds = run.used_seconds - reserved.seconds
        cost = run.cost_microusd(run.ended_at or run.status_since) - reserved.cost_microusd
        writes = {
            Consequence.USE: self._counters.settle_use(
                run.tenant_id, reserved.period, None, seconds=seconds, cost_microusd=cost
            )
        }
        if reserved.budget_key_id is not None:
            writes[Consequence.KEY_USE] = self._counters.settle_use(
                run.tenant_id, reserved.key_period, reserved.budget_key_id, seconds=seconds, cost_microusd=cost
            )
        return writes


def read_change_refusal(found: Mapping[Consequence, dict[str, Any]], after: Run, most_runs: int) -> OutpostError:
    """Which refusal it is that these writes met what they found; none of them: the run itself has changed."""
    if after.status is RunStatus.RUNNING and found:
        status = found.get(Consequence.TENANT, {}).get("status", {}).get("S", TenantStatus.ACTIVE)
        is_suspended = status != TenantStatus.ACTIVE
        return WorkForbidden(RunErrorCode.TENANT_SUSPENDED if is_suspended else RunErrorCode.KILL_SWITCH_ON)
    if after.status is RunStatus.PENDING and found:
        deployment = found.get(Consequence.DEPLOYMENT)
        if deployment is None:
            return SlotRefused(SlotRefusal.TENANT_IS_CLOSED)
        shared = decode_deployment(deployment, most_runs)
        is_closed = shared.kill_switch is not None or not shared.has_room
        return SlotRefused(SlotRefusal.DEPLOYMENT_IS_CLOSED if is_closed else SlotRefusal.AGENT_IS_BLOCKED)
    return RunChangedMeanwhile(after.run_id)
