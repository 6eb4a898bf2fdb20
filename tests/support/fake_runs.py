"""Runs, tenants, keys and queues in memory, with the conditions that the tables have."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from outpost.domain.admission import Allowance, Form, Usage
from outpost.domain.api_key import ApiKey, KeyStatus
from outpost.domain.deployment import Breaker, BreakerNews, BreakerState, Deployment, breaker_news
from outpost.domain.errors import (
    Limit,
    Refusal,
    TenantSuspended,
    WorkspaceInUse,
    WorkspaceNotFound,
    WorkspacesFull,
)
from outpost.domain.event import Event
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.promotion import Promotion
from outpost.domain.report import Artifact
from outpost.domain.run import Run, RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.domain.tenant import Tenant, TenantStatus
from outpost.domain.usage import Reservation
from outpost.domain.workspace import Workspace
from outpost.ports import (
    Admission,
    IdempotencyLock,
    KeyPage,
    NotAdmitted,
    RequestedPromotion,
    RunChangedMeanwhile,
    RunFilter,
    RunPage,
    SlotRefusal,
    SlotRefused,
    WorkForbidden,
)

_NEVER = datetime.fromtimestamp(0, UTC)
Counter = tuple[str, str, str | None]


@dataclass
class InMemoryRuns:
    """Runs in dictionaries, and what their changes bring with them."""

    tenants: dict[str, Tenant] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    records: dict[tuple[str, str], Run] = field(default_factory=dict)
    locks: dict[tuple[str, str], IdempotencyLock] = field(default_factory=dict)
    files: dict[tuple[str, str, int], tuple[Artifact, ...]] = field(default_factory=dict)
    used: dict[Counter, Usage] = field(default_factory=dict)
    deployment: Deployment = field(default_factory=lambda: Deployment(most_runs=100))
    events: list[Event] = field(default_factory=list)
    workspaces: dict[tuple[str, str], Workspace] = field(default_factory=dict)
    promotions: dict[tuple[str, str], Promotion] = field(default_factory=dict)

    def create(self, run: Run, event: Event, admission: Admission) -> None:
        lock, now = admission.lock, run.created_at
        known = self.locks.get((run.tenant_id, lock.key)) if lock else None
        key = self.keys.get(admission.key_hash)
        tenant = self.tenants.get(run.tenant_id)
        if tenant is None:
            raise TenantSuspended
        usages = {
            place: self.usage(run.tenant_id, allowance)
            for place, allowance in enumerate(admission.allowances)
            if allowance.refusal(self.usage(run.tenant_id, allowance), admission.asked) is not None
        }
        found = NotAdmitted(
            key_is_invalid=key is None or key.refusal(now) is not None,
            lock_is_taken=known is not None and known.expires_at > now,
            tenant=None if _tenant_admits(tenant, admission) else tenant,
            deployment=None if self._deployment_admits(run, admission) else self.deployment,
            usages=usages,
            workspace=self._workspace_refusal(run, admission),
        )
        if found.key_is_invalid or found.lock_is_taken or found.tenant or found.deployment or usages or found.workspace:
            raise found
        self._take_workspace(run)
        if lock is not None:
            self.locks[run.tenant_id, lock.key] = lock
        for allowance in admission.allowances:
            self._use((run.tenant_id, allowance.period.name, allowance.key_id), admission.asked, dispatches=1)
        if run.holds_slot:
            self._try_out(run, now)
        self._count(run.tenant_id, run.holds_slot, run.is_queued)
        self.records[run.tenant_id, run.run_id] = run
        self.events.append(event)

    def get(self, tenant_id: str, run_id: str) -> Run | None:
        return self.records.get((tenant_id, run_id))

    def find_lock(self, tenant_id: str, key: str) -> IdempotencyLock | None:
        return self.locks.get((tenant_id, key))

    def save(
        self,
        before: Run,
        after: Run,
        event: Event | None,
        artifacts: Sequence[Artifact] | None = None,
        promotion: RequestedPromotion | None = None,
    ) -> Run:
        place = (after.tenant_id, after.run_id)
        if self.records[place].revision != before.revision:
            raise RunChangedMeanwhile(after.run_id)
        self._require_leave(before, after)
        written = replace(after, revision=before.revision + 1)
        self.records[place] = written
        self.events.extend([event] if event else [])
        self.files.update({(*place, after.attempt): tuple(artifacts)} if artifacts is not None else {})
        if promotion is not None:
            self.promotions[place] = promotion.promotion
            self.events.append(promotion.event)
        takes_slot = after.holds_slot and not before.holds_slot
        if takes_slot:
            self._try_out(after, after.status_since)
        self._count(
            after.tenant_id,
            after.holds_slot - before.holds_slot,
            after.is_queued - before.is_queued,
            served_at=after.status_since if takes_slot else None,
        )
        self._hear(before, after)
        if after.status.is_terminal and not before.status.is_terminal:
            self._settle(after)
            self._leave(after)
        return written

    def page(self, tenant_id: str, wanted: RunFilter, *, before_run_id: str | None, limit: int) -> RunPage:
        found = [run for (owner, _), run in sorted(self.records.items(), reverse=True) if owner == tenant_id]
        found = [run for run in found if before_run_id is None or run.run_id < before_run_id]
        found = [run for run in found if _matches(run, wanted)]
        return RunPage(tuple(found[:limit]), found[limit - 1].run_id if len(found) > limit else None)

    def at_work(self, tenant_id: str, now: datetime) -> tuple[str, ...]:
        return tuple(
            run.run_id
            for (owner, _), run in self.records.items()
            if owner == tenant_id and run.status in (RunStatus.PENDING, RunStatus.RUNNING)
        )

    def artifacts(self, tenant_id: str, run_id: str, attempt: int) -> tuple[Artifact, ...]:
        return self.files.get((tenant_id, run_id, attempt), ())

    def due(self, shard: str, at: datetime, limit: int) -> tuple[tuple[str, str], ...]:
        due = [place for place, run in self.records.items() if run.active_shard == shard and run.check_at <= at]
        return tuple(due[:limit])

    def usage(self, tenant_id: str, allowance: Allowance) -> Usage:
        """What was counted against the allowance."""
        return self.used.get((tenant_id, allowance.period.name, allowance.key_id), Usage())

    def _workspace_refusal(self, run: Run, admission: Admission) -> Refusal | None:
        use = run.workspace
        if use is None:
            return None
        mine = [owner for owner, _ in self.workspaces if owner == run.tenant_id]
        if use.is_new:
            is_full = admission.most_workspaces is not None and len(mine) >= admission.most_workspaces
            full = WorkspacesFull(Limit("workspaces", admission.most_workspaces or 0, len(mine)))
            return full if is_full else None
        found = self.workspaces.get((run.tenant_id, use.workspace_id))
        if found is None:
            return WorkspaceNotFound(use.workspace_id)
        return None if found.leased_by is None else WorkspaceInUse(found.leased_by)

    def _take_workspace(self, run: Run) -> None:
        use = run.workspace
        if use is None:
            return
        place, ends_at = (run.tenant_id, use.workspace_id), run.created_at + timedelta(days=use.keep_days)
        made = Workspace(*place, run.created_at, run.created_at, ends_at, run.repo, run.branch, leased_by=run.run_id)
        taken = {"leased_by": run.run_id, "last_used_at": run.created_at, "expires_at": ends_at, "noticed_at": None}
        found = made if use.is_new else self.workspaces[place]
        self.workspaces[place] = made if use.is_new else replace(found, **taken, revision=found.revision + 1)

    def _leave(self, run: Run) -> None:
        at = run.ended_at or run.status_since
        use = run.workspace
        if use is None:
            return
        place = (run.tenant_id, use.workspace_id)
        left, snapshot = self.workspaces[place], run.report.snapshot if run.report else None
        self.workspaces[place] = replace(
            left,
            leased_by=None,
            noticed_at=None,
            last_used_at=at,
            expires_at=at + timedelta(days=use.keep_days),
            last_run_id=run.run_id,
            snapshot=snapshot or left.snapshot,
            previous=(left.snapshot or snapshot) if snapshot else left.previous,
            revision=left.revision + 1,
        )

    def _deployment_admits(self, run: Run, admission: Admission) -> bool:
        shared = self.deployment
        if shared.kill_switch is not None:
            return False
        if admission.form is Form.LAUNCH and not shared.has_room:
            return False
        if admission.form is Form.BEHIND_OTHERS and shared.has_room:
            return False
        return shared.breaker(run.agent).state(run.created_at) is not BreakerState.OPEN

    def _try_out(self, run: Run, at: datetime) -> None:
        """Who gets a slot while the agent's breaker is half-open is the one that tries it out."""
        if run.agent in self.deployment.breakers:
            self._set_breaker(run.agent, replace(self.deployment.breaker(run.agent), blocked_since=at))

    def _require_leave(self, before: Run, after: Run) -> None:
        tenant = self.tenants.get(after.tenant_id)
        is_switched_off = self.deployment.kill_switch is not None
        if before.status is RunStatus.PENDING and after.status is RunStatus.RUNNING and tenant is not None:
            if tenant.status is not TenantStatus.ACTIVE:
                raise WorkForbidden(RunErrorCode.TENANT_SUSPENDED)
            if tenant.kill_switch is not None or is_switched_off:
                raise WorkForbidden(RunErrorCode.KILL_SWITCH_ON)
        if before.is_queued and after.holds_slot and tenant is not None:
            if is_switched_off or not self.deployment.has_room:
                raise SlotRefused(SlotRefusal.DEPLOYMENT_IS_CLOSED)
            if self.deployment.breaker(after.agent).state(after.status_since) is BreakerState.OPEN:
                raise SlotRefused(SlotRefusal.AGENT_IS_BLOCKED)
            if not tenant.may_start:
                raise SlotRefused(SlotRefusal.TENANT_IS_CLOSED)

    def _hear(self, before: Run, after: Run) -> None:
        match breaker_news(before, after):
            case BreakerNews.FAILED:
                failures = self.deployment.breaker(after.agent).failures + 1
                self._set_breaker(after.agent, Breaker(failures, after.status_since))
            case BreakerNews.WORKED:
                self._set_breaker(after.agent, Breaker())
            case None:
                pass

    def _settle(self, run: Run) -> None:
        reserved = run.reservation
        if reserved is None:
            return
        cost = run.cost_microusd(run.ended_at) - reserved.cost_microusd
        change = replace(reserved, seconds=run.used_seconds - reserved.seconds, cost_microusd=cost)
        self._use((run.tenant_id, reserved.period, None), change)
        if reserved.budget_key_id is not None:
            self._use((run.tenant_id, reserved.key_period, reserved.budget_key_id), change)

    def _use(self, counter: Counter, change: Reservation, *, dispatches: int = 0) -> None:
        used = self.used.get(counter, Usage())
        self.used[counter] = Usage(
            used.dispatches + dispatches,
            used.agent_seconds + change.seconds,
            used.cost_microusd + change.cost_microusd,
        )

    def _set_breaker(self, agent: str, breaker: Breaker) -> None:
        self.deployment = replace(self.deployment, breakers={**self.deployment.breakers, agent: breaker})

    def _count(self, tenant_id: str, active: int, queued: int, *, served_at: datetime | None = None) -> None:
        tenant = self.tenants.get(tenant_id)
        if tenant is not None and (active or queued):
            self.tenants[tenant_id] = replace(
                tenant,
                active_runs=tenant.active_runs + active,
                queued_runs=tenant.queued_runs + queued,
                served_at=served_at or tenant.served_at,
            )
        self.deployment = replace(self.deployment, active_runs=self.deployment.active_runs + active)


@dataclass
class InMemoryEvents:
    """The events of the runs, but for those whose numbers are `unseen`: they have not come to the index yet."""

    runs: InMemoryRuns
    unseen: set[int] = field(default_factory=set)
    queries: int = 0

    def of_run(self, tenant_id: str, run_id: str, *, after: int, limit: int) -> tuple[Event, ...]:
        self.queries += 1
        of_run = [event for event in self.runs.events if (event.tenant_id, event.run_id) == (tenant_id, run_id)]
        seen = {event.number: event for event in of_run if event.number not in self.unseen}
        numbers = takewhile(seen.__contains__, range(after + 1, after + limit + 1))
        return tuple(seen[number] for number in numbers)


def _tenant_admits(tenant: Tenant, admission: Admission) -> bool:
    if tenant.status is not TenantStatus.ACTIVE or tenant.kill_switch is not None:
        return False
    if tenant.plan_revision != admission.plan_revision:
        return False
    begins = tenant.has_room and not tenant.queued_runs
    if admission.form is Form.LAUNCH:
        return begins
    has_place = tenant.queued_runs < tenant.plan.queued_runs
    return has_place and (admission.form is Form.BEHIND_OTHERS or not begins)


def _matches(run: Run, wanted: RunFilter) -> bool:
    return (
        wanted.status in (None, run.status)
        and wanted.agent in (None, run.agent)
        and wanted.repo in (None, run.repo)
        and wanted.tags.items() <= run.tags.items()
        and wanted.parent in (None, run.origin and run.origin.parent_run_id)
        and wanted.batch in (None, run.batch_id)
        and (wanted.since is None or run.created_at >= wanted.since)
        and (wanted.until is None or run.created_at < wanted.until)
    )


@dataclass
class InMemoryAccounts:
    """Tenants beside the runs in memory."""

    runs: InMemoryRuns

    def create_tenant(self, tenant: Tenant, key: ApiKey, events: Sequence[Event]) -> bool:
        if tenant.tenant_id in self.runs.tenants:
            return False
        self.runs.tenants[tenant.tenant_id] = tenant
        self.runs.keys[key.key_hash] = key
        self.runs.events += events
        return True

    def get(self, tenant_id: str) -> Tenant | None:
        return self.runs.tenants.get(tenant_id)

    def page(self, *, after_tenant_id: str | None, limit: int) -> tuple[tuple[Tenant, ...], str | None]:
        found = [t for name, t in sorted(self.runs.tenants.items()) if name > (after_tenant_id or "")]
        return tuple(found[:limit]), found[limit - 1].tenant_id if len(found) > limit else None

    def change(self, before: Tenant, after: Tenant, event: Event) -> bool:
        current = self.runs.tenants[after.tenant_id]
        if (current.plan_revision, current.status) != (before.plan_revision, before.status):
            return False
        counters = {name: getattr(current, name) for name in ("active_runs", "queued_runs", "served_at")}
        self.runs.tenants[after.tenant_id] = replace(after, **counters)
        self.runs.events.append(event)
        return True

    def refresh_copies(self, tenant: Tenant) -> None:
        """Nothing to do: keys here carry no copies."""

    def usage(self, tenant_id: str, allowance: Allowance) -> Usage:
        return self.runs.usage(tenant_id, allowance)


@dataclass
class InMemoryDeployments:
    """The deployment beside the runs in memory."""

    runs: InMemoryRuns

    def get(self) -> Deployment:
        return self.runs.deployment

    def set_kill_switch(self, switch: KillSwitch | None, event: Event) -> None:
        self.runs.deployment = replace(self.runs.deployment, kill_switch=switch)
        self.runs.events.append(event)


@dataclass
class InMemoryQueue:
    """The order of those that wait, made of the runs themselves."""

    runs: InMemoryRuns

    def head(self, tenant_id: str, without_agents: Collection[str] = ()) -> str | None:
        places = (run_id for run_id in self.order(tenant_id) if self._agent(tenant_id, run_id) not in without_agents)
        return next(places, None)

    def order(self, tenant_id: str) -> tuple[str, ...]:
        waiting = [run for (owner, _), run in self.runs.records.items() if owner == tenant_id and run.is_queued]
        return tuple(run.run_id for run in sorted(waiting, key=lambda run: (run.priority.rank, run.run_id)))

    def waiting_tenants(self, limit: int) -> tuple[Tenant, ...]:
        waiting = [tenant for tenant in self.runs.tenants.values() if tenant.queued_runs and tenant.may_start]
        return tuple(sorted(waiting, key=lambda tenant: tenant.served_at or _NEVER))[:limit]

    def _agent(self, tenant_id: str, run_id: str) -> str:
        return self.runs.records[tenant_id, run_id].agent

    def settle(self, tenant_id: str) -> None:
        """Nothing to do: who waits is read off the tenants' counters."""


@dataclass
class InMemorySlots:
    """Counters beside the runs in memory."""

    runs: InMemoryRuns

    def holders(self) -> tuple[str, ...]:
        return tuple(name for name, tenant in self.runs.tenants.items() if tenant.active_runs or tenant.queued_runs)

    def correct(self, tenant_id: str, now: datetime) -> int:
        tenant = self.runs.tenants.get(tenant_id)
        if tenant is None:
            return 0
        mine = [run for (owner, _), run in self.runs.records.items() if owner == tenant_id]
        active, queued = sum(run.holds_slot for run in mine), sum(run.is_queued for run in mine)
        self.runs.tenants[tenant_id] = replace(tenant, active_runs=active, queued_runs=queued)
        return abs(active - tenant.active_runs) + abs(queued - tenant.queued_runs)

    def correct_deployment(self) -> int:
        counted = sum(tenant.active_runs for tenant in self.runs.tenants.values())
        drift = abs(counted - self.runs.deployment.active_runs)
        self.runs.deployment = replace(self.runs.deployment, active_runs=counted)
        return drift


@dataclass
class InMemoryKeyring:
    """Keys beside the runs in memory."""

    runs: InMemoryRuns

    def get(self, tenant_id: str, key_id: str) -> ApiKey | None:
        mine = (key for key in self.runs.keys.values() if key.tenant_id == tenant_id and key.key_id == key_id)
        return next(mine, None)

    def page(self, tenant_id: str, *, before_key_id: str | None, limit: int) -> KeyPage:
        mine = [key for key in self.runs.keys.values() if key.tenant_id == tenant_id]
        mine = [key for key in mine if before_key_id is None or key.key_id < before_key_id]
        found = sorted(mine, key=lambda key: key.key_id, reverse=True)
        return KeyPage(tuple(found[:limit]), found[limit - 1].key_id if len(found) > limit else None)

    def create(self, key: ApiKey, event: Event) -> None:
        tenant = self.runs.tenants.get(key.tenant_id)
        if tenant is None or tenant.status is not TenantStatus.ACTIVE:
            raise TenantSuspended
        self.runs.keys[key.key_hash] = key
        self.runs.events.append(event)

    def rotate(self, before: ApiKey, after: ApiKey, successor: ApiKey, event: Event) -> bool:
        if not self._is_unchanged(before):
            return False
        self.runs.keys |= {after.key_hash: after, successor.key_hash: successor}
        self.runs.events.append(event)
        return True

    def revoke(self, before: ApiKey, after: ApiKey, event: Event) -> bool:
        if self.runs.keys[before.key_hash].status is not KeyStatus.ACTIVE:
            return False
        self.runs.keys[after.key_hash] = replace(self.runs.keys[after.key_hash], status=after.status)
        self.runs.events.append(event)
        return True

    def _is_unchanged(self, before: ApiKey) -> bool:
        current = self.runs.keys[before.key_hash]
        return current.status is KeyStatus.ACTIVE and current.replaced_by is None
